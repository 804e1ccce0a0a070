/* make_data FOLDER VOICES SECONDS: streams of synthetic speech with the wake word "hey tinamou" in them, one per voice of
 * espeak-ng: FOLDER/vNN_ROLE.wav, and where the word is in vNN_ROLE.txt, a label track of Audacity. ROLE is train, valid or
 * test. Everything follows from the number of the voice, so the same espeak-ng makes the same files.
 *
 * A stream is speech with pauses: the wake word, phrases that sound like it, other phrases; each at a speed, pitch and
 * loudness of its own, with an echo; over pink noise and the murmur of other voices of the same role. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RATE 22050 /* of espeak-ng */
#define TRIM 40    /* counts below which an utterance has not begun, or is over */
#define LIST(x) (int)(sizeof(x) / sizeof(x)[0])

static const char keyword[] = "hey tinamou";
static const char *const accents[] = {"en-us",      "en-gb",          "en-gb-scotland", "en-029",
                                      "en-gb-x-rp", "en-gb-x-gbclan", "en-gb-x-gbcwmd"};
static const char *const speakers[] = {"m1",   "f1",    "m2",  "f2",    "m3",      "f3",   "m4",    "f4",
                                       "m5",   "f5",    "m6",  "m7",    "m8",      "Andy", "Annie", "Denis",
                                       "Gene", "Jacky", "Lee", "Mario", "Michael", "Steph"};
static const char *const alike[] = {"hey tina",
                                    "tinamou",
                                    "hey dynamo",
                                    "hey cinema",
                                    "hey timothy",
                                    "hey tomorrow",
                                    "hey",
                                    "hey Tina, move",
                                    "hey you too",
                                    "a tiny mouse",
                                    "hey, team of two",
                                    "Hey Siri",
                                    "hey there, in a moment",
                                    "the cinema",
                                    "hay and a moo"};
static const char *const others[] = {"good morning",
                                     "could you pass me the salt",
                                     "the train leaves at half past seven",
                                     "no",
                                     "yes, please",
                                     "what time is it",
                                     "turn on the light in the kitchen",
                                     "I will be there in ten minutes",
                                     "it has been raining all day",
                                     "stop",
                                     "seven eight nine",
                                     "play some music",
                                     "we should paint the fence before winter",
                                     "she sells sea shells by the sea shore",
                                     "how much is this",
                                     "open the window, it is hot in here",
                                     "left, right, up and down",
                                     "my phone number has changed",
                                     "they have never been to Finland",
                                     "close the door behind you",
                                     "that was a wonderful evening",
                                     "the quick brown fox jumps over the lazy dog",
                                     "an apple a day keeps the doctor away",
                                     "where did you put my glasses",
                                     "call me back when you can",
                                     "thank you very much",
                                     "is there any coffee left",
                                     "nobody knows what happened to the boat",
                                     "let us meet at the station",
                                     "one two three four five",
                                     "the birds in the garden are singing",
                                     "do not forget the milk"};

static uint64_t state;

/* 0 <= x < 1; xorshift64* */
static double draw(void)
{
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return (double)((state * UINT64_C(2685821657736338717)) >> 11) / 9007199254740992.0;
}

static double between(double low, double high)
{
    return low + (high - low) * draw();
}

static double gain(double db)
{
    return pow(10, db / 20);
}

static const char *role_of(int voice)
{
    return voice % 5 == 3 ? "valid" : voice % 5 == 4 ? "test" : "train";
}

static void stop(const char *what)
{
    fprintf(stderr, "make_data: %s\n", what);
    exit(1);
}

/* What espeak-ng says, silence cut off; to be freed. */
static int16_t *speak(int voice, const char *text, int *n)
{
    static int16_t all[30 * RATE];
    char command[400];
    snprintf(command, sizeof command, "espeak-ng -v '%s+%s' -s %d -p %d --stdout '%s' 2>/dev/null",
             accents[voice % LIST(accents)], speakers[voice % LIST(speakers)], (int)between(120, 210),
             (int)between(20, 80), text);
    FILE *in = popen(command, "r");
    if (!in)
        stop("cannot run espeak-ng");
    unsigned char head[44];
    size_t got = fread(head, 1, sizeof head, in) == sizeof head ? fread(all, sizeof *all, LIST(all), in) : 0;
    if (pclose(in) != 0 || got == 0 || memcmp(head + 36, "data", 4) != 0)
        stop("espeak-ng gave no sound; install it, and see that it knows the voices en-us and en-gb");
    size_t first = 0, end = got;
    while (first < end && abs(all[first]) < TRIM)
        first++;
    while (end > first && abs(all[end - 1]) < TRIM)
        end--;
    *n = (int)(end - first);
    int16_t *said = malloc((end - first + 1) * sizeof *said);
    if (!said)
        stop("out of memory");
    memcpy(said, all + first, (end - first) * sizeof *said);
    return said;
}

/* Adds an utterance at `at`, with two echoes of a room. */
static void add(float *sound, int n, int at, const int16_t *said, int n_said, double level)
{
    int delay = (int)between(0.01 * RATE, 0.06 * RATE);
    double echo = between(0, 0.4), part[3] = {level, level * echo, level * echo * echo};
    for (int k = 0; k < 3; k++) {
        for (int i = 0; i < n_said && at + i + k * delay < n; i++)
            sound[at + i + k * delay] += (float)(part[k] * said[i]);
    }
}

/* Noise whose power falls by 3 dB per octave (P. Kellet's filter), swelling up and down. */
static void add_noise(float *sound, int n)
{
    double b[3] = {0}, level = 0, wanted = 0;
    for (int i = 0; i < n; i++) {
        if (i % (4 * RATE) == 0)
            wanted = 2000 * gain(between(-45, -8));
        level += (wanted - level) / RATE;
        double white = between(-1, 1);
        b[0] = 0.99765 * b[0] + white * 0.0990460;
        b[1] = 0.96300 * b[1] + white * 0.2965164;
        b[2] = 0.57000 * b[2] + white * 1.0526913;
        sound[i] += (float)(level * (b[0] + b[1] + b[2] + white * 0.1848) / 2);
    }
}

/* Far voices of the same role, one after another. */
static void add_murmur(float *sound, int n, int voice, int n_voices)
{
    for (int at = 0; at < n; at += RATE / 2) {
        int other = (int)(draw() * n_voices), n_said;
        if (other == voice || strcmp(role_of(other), role_of(voice)) != 0)
            continue;
        int16_t *said = speak(other, others[(int)(draw() * LIST(others))], &n_said);
        add(sound, n, at, said, n_said, gain(between(-42, -20)));
        free(said);
        at += n_said;
    }
}

static const char *choose(int *is_keyword)
{
    double kind = draw();
    *is_keyword = kind < 0.3;
    return *is_keyword  ? keyword
           : kind < 0.5 ? alike[(int)(draw() * LIST(alike))]
                        : others[(int)(draw() * LIST(others))];
}

static FILE *create(const char *folder, int voice, const char *ending)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/v%02d_%s.%s", folder, voice, role_of(voice), ending);
    FILE *out = fopen(path, "wb");
    if (!out)
        stop("cannot write into the folder");
    return out;
}

static void put(FILE *out, uint32_t value, int bytes)
{
    for (int i = 0; i < bytes; i++)
        fputc((int)(value >> 8 * i & 255), out);
}

static void write_wav(FILE *out, const float *sound, int n)
{
    fwrite("RIFF", 1, 4, out);
    put(out, 36 + 2 * (uint32_t)n, 4);
    fwrite("WAVEfmt ", 1, 8, out);
    put(out, 16, 4);
    put(out, 1, 2); /* whole numbers */
    put(out, 1, 2); /* channel */
    put(out, RATE, 4);
    put(out, 2 * RATE, 4);
    put(out, 2, 2);
    put(out, 16, 2);
    fwrite("data", 1, 4, out);
    put(out, 2 * (uint32_t)n, 4);
    for (int i = 0; i < n; i++) {
        double x = sound[i] > 32767 ? 32767 : sound[i] < -32768 ? -32768 : sound[i];
        put(out, (uint32_t)(int32_t)lrint(x), 2);
    }
}

static void make_stream(const char *folder, int voice, int n_voices, int n)
{
    float *sound = calloc((size_t)n, sizeof *sound);
    FILE *labels = create(folder, voice, "txt"), *wav = create(folder, voice, "wav");
    if (!sound)
        stop("out of memory");
    state = UINT64_C(0x9e3779b97f4a7c15) * (uint64_t)(voice + 1);
    for (int at = RATE; at < n;) {
        int is_keyword, n_said;
        int16_t *said = speak(voice, choose(&is_keyword), &n_said);
        if (at + n_said + RATE < n) {
            add(sound, n, at, said, n_said, gain(between(-26, -2)));
            if (is_keyword)
                fprintf(labels, "%.6f\t%.6f\tkeyword\n", (double)at / RATE, (double)(at + n_said) / RATE);
        }
        free(said);
        at += n_said + (int)between(0.2 * RATE, 2.5 * RATE);
    }
    add_murmur(sound, n, voice, n_voices);
    add_noise(sound, n);
    write_wav(wav, sound, n);
    if (fclose(labels) != 0 || fclose(wav) != 0)
        stop("cannot write into the folder");
    free(sound);
}

int main(int argc, char **argv)
{
    int n_voices = argc == 4 ? atoi(argv[2]) : 0, seconds = argc == 4 ? atoi(argv[3]) : 0;
    if (n_voices < 5 || n_voices > 99 || seconds < 10 || seconds > 3600)
        stop("make_data FOLDER VOICES SECONDS: 5 to 99 voices, 10 to 3600 seconds of each");
    for (int voice = 0; voice < n_voices; voice++) {
        make_stream(argv[1], voice, n_voices, seconds * RATE);
        printf("v%02d_%s: %s, %s\n", voice, role_of(voice), accents[voice % LIST(accents)],
               speakers[voice % LIST(speakers)]);
    }
    return 0;
}
