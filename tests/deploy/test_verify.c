/* A board on a serial line: the package's own examples as programs of this computer and on an emulated Cortex-M4, over
 * pseudo terminals, with and without noise; and everything else that may be at the other end of a line. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/progress.h"
#include "deploy/package_fixture.h"
#include "deploy/verify.h"

/* ---- a line with a board at its end ---- */

typedef struct noise {
    long flip, drop, insert; /* every so many bytes of one direction; 0: never */
    long cut;                /* nothing gets through after so many bytes */
} noise;

typedef struct wire {
    int master, slave, to_board, from_board; /* the slave is held open, so that the master never sees a hang-up */
    char port[64];
    pid_t board;
    pthread_t thread;
    noise to, from;
    long to_bytes, from_bytes;
    atomic_bool stop;
} wire;

static void must_be(int yes)
{
    if (!yes) {
        perror("wire");
        abort();
    }
}

/* Waits for room, but not for ever: the computer may have gone. */
static bool send_all(wire *w, int out, const uint8_t *at, size_t size)
{
    while (size > 0 && !w->stop) {
        struct pollfd fd = {.fd = out, .events = POLLOUT};
        (void)poll(&fd, 1, 20);
        const ssize_t n = write(out, at, size);
        if (n < 0 && errno != EAGAIN) {
            return false;
        }
        at += n > 0 ? n : 0;
        size -= n > 0 ? (size_t)n : 0;
    }
    return size == 0;
}

/* One direction: what there is, with noise. False at its end. */
static bool carry(wire *w, int in, int out, const noise *n, long *bytes)
{
    uint8_t got[256], sent[1024];
    const ssize_t size = read(in, got, sizeof got);
    size_t at = 0;
    for (ssize_t i = 0; i < size; i++) {
        const long k = ++*bytes;
        if ((n->drop > 0 && k % n->drop == 0) || (n->cut > 0 && k > n->cut)) {
            continue;
        }
        const int bit = n->flip > 0 && k % n->flip == 0 ? 1 << k % 8 : 0;
        sent[at++] = (uint8_t)(got[i] ^ bit);
        if (n->insert > 0 && k % n->insert == 0) {
            sent[at++] = (uint8_t)(k * 37);
            sent[at++] = 0x7e;
        }
    }
    return (size > 0 || (size < 0 && errno == EAGAIN)) && send_all(w, out, sent, at);
}

static void *carry_both(void *context)
{
    wire *w = context;
    struct pollfd fds[2] = {{.fd = w->master, .events = POLLIN}, {.fd = w->from_board, .events = POLLIN}};
    while (!w->stop) {
        (void)poll(fds, 2, 20);
        if (fds[0].revents != 0 && !carry(w, w->master, w->to_board, &w->to, &w->to_bytes)) {
            break;
        }
        if (fds[1].revents != 0 && !carry(w, w->from_board, w->master, &w->from, &w->from_bytes)) {
            break;
        }
    }
    close(w->to_board); /* the end of the board's standard input ends it */
    return NULL;
}

static void open_terminal(wire *w)
{
    struct termios raw;
    w->master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
    must_be(w->master >= 0 && grantpt(w->master) == 0 && unlockpt(w->master) == 0);
    must_be(ptsname_r(w->master, w->port, sizeof w->port) == 0);
    w->slave = open(w->port, O_RDWR | O_NOCTTY | O_CLOEXEC);
    must_be(w->slave >= 0 && tcgetattr(w->slave, &raw) == 0);
    cfmakeraw(&raw);
    must_be(tcsetattr(w->slave, TCSANOW, &raw) == 0);
}

/* Starts `program` with the other end of the line as its standard input and output. */
static void connect_board(wire *w, const char *program, noise to, noise from)
{
    int in[2], out[2];
    *w = (wire){.to = to, .from = from};
    open_terminal(w);
    must_be(pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0);
    w->board = fork();
    if (w->board == 0) {
        (void)dup2(in[0], 0);
        (void)dup2(out[1], 1);
        (void)execl(program, program, (char *)NULL);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    w->to_board = in[1];
    w->from_board = out[0];
    must_be(pthread_create(&w->thread, NULL, carry_both, w) == 0);
}

static void disconnect_board(wire *w)
{
    (void)kill(w->board, SIGKILL);
    (void)waitpid(w->board, NULL, 0);
    w->stop = true;
    (void)pthread_join(w->thread, NULL);
    close(w->from_board);
    close(w->slave);
    close(w->master);
}

/* ---- the board's program ---- */

#define SOURCE TEST_TEMPORARY "/packages/cmake/" NAME "/src"

static void make_package(project *p, const random_spec *spec, uint64_t seed)
{
    tin_error err = {0};
    make_project(p, spec, seed);
    p->package.formats = TIN_PACKAGE_CMAKE;
    must(tin_package_write(&p->package, output_folder(), &err), &err);
}

static const char *build_board(void)
{
    run((const char *const[]){"gcc", "-std=c99", "-D_POSIX_C_SOURCE=200809L", "-O1", "-Wall", "-Wextra", "-Wconversion",
                              "-Wshadow", "-pedantic", "-Werror", "-I", SOURCE, SOURCE "/" NAME ".c",
                              SOURCE "/" NAME "_serial.c",
                              TEST_TEMPORARY "/packages/cmake/" NAME "/examples/" NAME "_verify/main.c", "-o",
                              TEST_TEMPORARY "/board", NULL});
    return TEST_TEMPORARY "/board";
}

static tin_verify_options options_of(const char *port, int64_t frames)
{
    return (tin_verify_options){
        .port = port, .baud = 115200, .frames = frames, .hello_seconds = 2.5, .answer_seconds = 1.5, .quiet = true};
}

static tin_status verify(const project *p, const wire *w, int64_t frames, tin_verify_result *r, tin_error *err)
{
    const tin_verify_options o = options_of(w->port, frames);
    *err = (tin_error){0};
    return tin_verify(p->model, &p->rule, &p->dataset, &o, r, err);
}

static void must_say(const tin_error *err, const char *word)
{
    if (strstr(err->message, word) == NULL) {
        fail_msg("\"%s\" is not in: %s", word, err->message);
    }
}

static const noise quiet = {0};

static void test_shapes(void **state)
{
    static const random_layer strided[] = {{.op = TIN_OP_CONV1D, .units = 3, .kernel = 3, .stride = 40},
                                           {.op = TIN_OP_AVG_POOL, .kernel = 5, .stride = 5}};
    static const random_spec specs[] = {
        {.n_channels = 3, .n_classes = 4, .layers = layers, .n_layers = 2, .event_every = 2},
        {.n_channels = 1, .n_classes = 1, .layers = layers, .n_layers = 2, .event_every = 1},
        {.n_channels = 64, .n_classes = 200, .layers = layers, .n_layers = 2, .event_every = 3},
        {.n_channels = 6, .n_classes = 2, .layers = strided, .n_layers = 2}};
    static const int packed[] = {41, 124, 1, 20}; /* (256 - 7) / (2 * channels) */
    (void)state;
    for (size_t i = 0; i < sizeof specs / sizeof specs[0]; i++) {
        project p;
        wire w;
        tin_error err;
        tin_verify_result r;
        make_package(&p, &specs[i], 1 + i);
        connect_board(&w, build_board(), quiet, quiet);
        must(verify(&p, &w, 301, &r, &err), &err);
        assert_int_equal(r.frames, 301); /* 151 of one stream, 150 of the other */
        assert_int_equal(r.mismatches, 0);
        assert_int_equal(r.decisions, 151 / p.model->hop + 150 / p.model->hop);
        assert_int_equal(r.frames_per_packet, packed[i]);
        assert_string_equal(r.board, NAME);
        assert_true(r.has_clock && r.step_worst_s >= r.step_mean_s);
        assert_true(r.round_trip_mean_s > 0 && r.round_trip_worst_s >= r.round_trip_mean_s);
        assert_int_equal(r.resent, 0);
        must(verify(&p, &w, 0, &r, &err), &err); /* again, all of the two test streams */
        assert_int_equal(r.frames, 2 * N_FRAMES);
        assert_int_equal(r.mismatches, 0);
        disconnect_board(&w);
        free_project(&p);
    }
}

/* The other examples, built as in test_package.c. */
static void test_examples(void **state)
{
    project p;
    wire w;
    tin_error err = {0};
    tin_verify_result r;
    (void)state;
    make_project(&p, &ordinary, 20);
    must(tin_package_write(&p.package, output_folder(), &err), &err);
    assert_int_equal(setenv("ZEPHYR_BASE", TEST_FILES "/zephyr", 1), 0);
    assert_int_equal(setenv("IDF_PATH", TEST_FILES "/espidf", 1), 0);
    build_with_cmake(TEST_TEMPORARY "/packages/zephyr/" NAME "/samples/" NAME "_verify", path_of("build-zephyr"));
    build_with_cmake(TEST_TEMPORARY "/packages/espidf/" NAME "/examples/" NAME "_verify", path_of("build-espidf"));
    run((const char *const[]){"gcc", "-std=gnu11", "-c", SOURCE "/" NAME ".c", "-o", path_of("model.o"), NULL});
    run((const char *const[]){"gcc", "-std=gnu11", "-c", SOURCE "/" NAME "_serial.c", "-o", path_of("serial.o"), NULL});
    run((const char *const[]){"g++", "-std=gnu++11", "-Wall", "-Wextra", "-Werror", "-I", SOURCE,
                              "-I" TEST_FILES "/arduino", "-x", "c++",
                              TEST_TEMPORARY "/packages/arduino/" NAME "/examples/" NAME "_verify/" NAME "_verify.ino",
                              TEST_FILES "/arduino/main.cpp", "-x", "none", path_of("model.o"), path_of("serial.o"),
                              "-o", path_of("sketch"), NULL});
    run((const char *const[]){
        "cmp", TEST_TEMPORARY "/packages/arduino/" NAME "/examples/" NAME "_verify/" NAME "_verify.ino",
        TEST_TEMPORARY "/packages/platformio/" NAME "/examples/" NAME "_verify/src/main.cpp", NULL});
    const char *const boards[] = {path_of("build-zephyr/app"), path_of("build-espidf/app"), path_of("sketch")};
    for (size_t i = 0; i < sizeof boards / sizeof boards[0]; i++) {
        connect_board(&w, boards[i], quiet, quiet);
        must(verify(&p, &w, 200, &r, &err), &err);
        assert_int_equal(r.frames, 200);
        assert_true(r.has_clock);
        disconnect_board(&w);
    }
    free_project(&p);
}

/* Whatever happens to single bytes, the result is right or there is an error; it is never wrong and never hangs. */
static void test_noise(void **state)
{
    static const struct {
        noise to, from;
    } lines[] = {{{.flip = 997}, {0}},
                 {{.drop = 1009}, {0}},
                 {{.insert = 701}, {0}},
                 {{0}, {.flip = 4001}},
                 {{0}, {.drop = 4003}},
                 {{0}, {.insert = 4007}},
                 {{.flip = 1999, .drop = 2003}, {.flip = 6007, .insert = 5003}}};
    project p;
    (void)state;
    make_package(&p, &ordinary, 30);
    const char *board = build_board();
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        wire w;
        tin_error err;
        tin_verify_result r;
        connect_board(&w, board, lines[i].to, lines[i].from);
        must(verify(&p, &w, 1000, &r, &err), &err);
        assert_int_equal(r.frames, 1000);
        assert_int_equal(r.decisions, 500);
        assert_int_equal(r.mismatches, 0);
        assert_true(r.resent > 0);
        disconnect_board(&w);
    }
    free_project(&p);
}

static void test_noise_without_end(void **state)
{
    static const struct {
        noise to, from;
        const char *word;
    } lines[] = {{{.flip = 40}, {0}, "no answer to a packet that was sent 5 times"},
                 {{0}, {.flip = 200}, "no answer to a packet"},
                 {{0}, {.flip = 3}, "no packet that is right; is --baud"},
                 {{.cut = 4000}, {0}, "no answer to a packet"},
                 {{0}, {.cut = 3000}, "no answer to a packet"}};
    project p;
    (void)state;
    make_package(&p, &ordinary, 31);
    const char *board = build_board();
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        wire w;
        tin_error err;
        tin_verify_result r;
        connect_board(&w, board, lines[i].to, lines[i].from);
        tin_verify_options o = options_of(w.port, 1000);
        o.answer_seconds = 0.3;
        err = (tin_error){0};
        assert_int_equal(tin_verify(p.model, &p.rule, &p.dataset, &o, &r, &err), TIN_ERR_IO);
        must_say(&err, lines[i].word);
        disconnect_board(&w);
    }
    free_project(&p);
}

/* ---- what else may be at the other end ---- */

static void change(const char *file, const char *before, const char *after)
{
    tin_error err = {0};
    char path[TIN_PATH_MAX], *text = NULL;
    size_t size = 0;
    (void)snprintf(path, sizeof path, SOURCE "/%s", file);
    must(tin_file_read(path, &text, &size, &err), &err);
    char *at = strstr(text, before);
    if (at == NULL) {
        fail_msg("no \"%s\" in %s", before, file);
        return;
    }
    FILE *to = fopen(path, "w");
    assert_non_null(to);
    (void)fprintf(to, "%.*s%s%s", (int)(at - text), text, after, at + strlen(before));
    assert_int_equal(fclose(to), 0);
    tin_free(text);
}

static void test_other_firmware(void **state)
{
    static const struct {
        const char *file, *before, *after, *word;
    } cases[] = {
        {NAME "_serial.c", "send(s, port, model_hash[i], 1)", "send(s, port, model_hash[i] ^ 1u, 1)", "runs the model"},
        {NAME "_serial.h", "SERIAL_VERSION 2", "SERIAL_VERSION 3",
         "speaks version 3 of the protocol and this is version 2"},
        {NAME "_serial.c", "send(s, port, NET2_SERIAL_VERSION, 1);\n    send(s, port, NET2_CHANNELS",
         "send(s, port, 9, 1);\n    send(s, port, NET2_CHANNELS", "not of version 2"},
        {NAME ".h", "NET2_RULE 0x", "NET2_RULE 1 + 0x", "another decision rule"},
        {NAME ".h", "#define NET2_HOP 2", "#define NET2_HOP 3", "runs the model"},
        {NAME "_serial.c", "type == FRAMES &&", "type == 99 &&", "does not understand a packet of type 3"},
        {NAME "_serial.c", "send(s, port, END, 1);", "send(s, port, 3, 1);", "is no list of decisions"},
        {NAME "_serial.c", "send(s, port, longest, 4);", "", "is no list of decisions"},
        {NAME "_serial.c", "send_decision(s, port, frame, &out);", "send_decision(s, port, 1, &out);",
         "is no list of decisions"},
        {NAME "_serial.c", "if (due == 1) {", "if (due == 9) {",
         "2 of 5 frames differ, the first: stream first, frame 1: decision due is 0 on the board and 1"},
        {NAME "_serial.c", "due = Net2_step(&s->model, counts, &out);",
         "due = Net2_step(&s->model, counts, &out); out.active++;", "active is"},
        {NAME ".c", "    return 1;\n", "    out->score[3] ^= 1;\n    return 1;\n", "score 3 is"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        project p;
        wire w;
        tin_error err;
        tin_verify_result r;
        make_package(&p, &ordinary, 40);
        p.streams[2].role = TIN_ROLE_TRAIN;
        change(cases[i].file, cases[i].before, cases[i].after);
        connect_board(&w, build_board(), quiet, quiet);
        assert_int_equal(verify(&p, &w, 5, &r, &err), TIN_ERR_MISMATCH);
        must_say(&err, cases[i].word);
        disconnect_board(&w);
        free_project(&p);
    }
}

static void test_no_board(void **state)
{
    static const char *const programs[] = {"/bin/cat", "/usr/bin/yes"};
    project p;
    wire w = {0};
    tin_error err;
    tin_verify_result r;
    (void)state;
    make_project(&p, &ordinary, 50);
    open_terminal(&w); /* nobody there */
    tin_verify_options o = options_of(w.port, 100);
    o.hello_seconds = 0.3;
    err = (tin_error){0};
    assert_int_equal(tin_verify(p.model, &p.rule, &p.dataset, &o, &r, &err), TIN_ERR_IO);
    must_say(&err, "nothing answers on /dev/");
    close(w.slave);
    close(w.master);
    for (size_t i = 0; i < 2; i++) { /* an echo of what we send; text without end */
        connect_board(&w, programs[i], quiet, quiet);
        o = options_of(w.port, 100);
        o.hello_seconds = 0.3;
        err = (tin_error){0};
        assert_int_equal(tin_verify(p.model, &p.rule, &p.dataset, &o, &r, &err), TIN_ERR_IO);
        must_say(&err, "no packet that is right");
        disconnect_board(&w);
    }
    o.port = TEST_TEMPORARY "/absent";
    err = (tin_error){0};
    assert_int_equal(tin_verify(p.model, &p.rule, &p.dataset, &o, &r, &err), TIN_ERR_IO);
    must_say(&err, "no such serial line");
    o.port = TEST_FILES "/driver.c";
    err = (tin_error){0};
    assert_int_equal(tin_verify(p.model, &p.rule, &p.dataset, &o, &r, &err), TIN_ERR_IO);
    must_say(&err, "is no serial line");
    o.baud = 12345;
    err = (tin_error){0};
    assert_int_equal(tin_verify(p.model, &p.rule, &p.dataset, &o, &r, &err), TIN_ERR_USAGE);
    must_say(&err, "--baud is 12345");
    p.streams[1].role = p.streams[2].role = TIN_ROLE_TRAIN;
    err = (tin_error){0};
    assert_int_equal(tin_verify(p.model, &p.rule, &p.dataset, &o, &r, &err), TIN_ERR_DATA);
    free_project(&p);
}

/* The cable is pulled while frames are on their way. */
static void test_board_goes_away(void **state)
{
    project p;
    wire w = {0};
    int code = 0;
    (void)state;
    make_project(&p, &ordinary, 51);
    open_terminal(&w);
    close(w.slave);
    const pid_t host = fork();
    if (host == 0) {
        tin_error err;
        tin_verify_result r;
        close(w.master);
        const tin_status status = verify(&p, &w, 100, &r, &err);
        _exit(status == TIN_ERR_IO && strstr(err.message, "went away") != NULL ? 42 : 1);
    }
    char byte;
    while (read(w.master, &byte, 1) != 1) { /* of the greeting */
        (void)usleep(1000);
    }
    close(w.master);
    assert_int_equal(waitpid(host, &code, 0), host);
    assert_true(WIFEXITED(code));
    assert_int_equal(WEXITSTATUS(code), 42);
    free_project(&p);
}

static void test_interrupt(void **state)
{
    project p;
    wire w = {0};
    int code = 0;
    (void)state;
    make_project(&p, &ordinary, 52);
    open_terminal(&w);
    const pid_t host = fork();
    if (host == 0) {
        tin_error err;
        tin_verify_result r;
        tin_stop_install();
        (void)raise(SIGINT);
        _exit(verify(&p, &w, 100, &r, &err) == TIN_ERR_INTERRUPTED ? 42 : 1);
    }
    assert_int_equal(waitpid(host, &code, 0), host);
    assert_true(WIFEXITED(code));
    assert_int_equal(WEXITSTATUS(code), 42);
    close(w.slave);
    close(w.master);
    free_project(&p);
}

static void test_memory(void **state)
{
    project p;
    wire w;
    tin_error err;
    tin_verify_result r;
    (void)state;
    make_package(&p, &ordinary, 53);
    connect_board(&w, build_board(), quiet, quiet);
    (void)tin_memory_fail_at(0);
    must(verify(&p, &w, 50, &r, &err), &err);
    const size_t n = tin_memory_fail_at(0);
    assert_true(n > 10);
    for (size_t i = 1; i <= n; i++) {
        (void)tin_memory_fail_at(i);
        const tin_status status = verify(&p, &w, 50, &r, &err);
        (void)tin_memory_fail_at(0);
        if (status != TIN_ERR_MEMORY) {
            fail_msg("allocation %zu of %zu: %s", i, n, tin_error_text(&err));
        }
    }
    must(verify(&p, &w, 50, &r, &err), &err);
    disconnect_board(&w);
    free_project(&p);
}

/* ---- the emulated Cortex-M4 ---- */

/* Starts QEMU with its UART on a pseudo terminal, whose name it prints. */
static pid_t start_qemu(char port[64])
{
    int out[2];
    char text[256] = "";
    size_t size = 0;
    must_be(pipe2(out, O_CLOEXEC) == 0);
    const pid_t qemu = fork();
    if (qemu == 0) {
        (void)dup2(out[1], 1);
        (void)dup2(out[1], 2);
        (void)execlp("qemu-system-arm", "qemu-system-arm", "-M", "mps2-an386", "-display", "none", "-monitor", "none",
                     "-serial", "pty", "-icount", "shift=6", "-kernel", TEST_TEMPORARY "/board.elf", (char *)NULL);
        _exit(127);
    }
    close(out[1]);
    while (strchr(text, '\n') == NULL && size < sizeof text - 1) {
        const ssize_t n = read(out[0], text + size, sizeof text - 1 - size);
        if (n <= 0) {
            break;
        }
        size += (size_t)n;
        text[size] = '\0';
    }
    close(out[0]);
    const char *name = strstr(text, "/dev/pts/");
    if (name == NULL) {
        fail_msg("qemu-system-arm said: %s", text);
    }
    (void)snprintf(port, 64, "%.*s", (int)strcspn(name, " \n"), name);
    return qemu;
}

/* What the package's self-test prints on the UART before the protocol begins. */
static void must_pass_selftest(const char *port)
{
    char text[512] = "";
    size_t size = 0;
    const int fd = open(port, O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_true(fd >= 0);
    while (strstr(text, "PASS") == NULL && strstr(text, "FAIL") == NULL && size < sizeof text - 1) {
        struct pollfd ready = {.fd = fd, .events = POLLIN};
        assert_int_equal(poll(&ready, 1, 60000), 1);
        const ssize_t n = read(fd, text + size, sizeof text - 1 - size);
        assert_true(n > 0);
        size += (size_t)n;
        text[size] = '\0';
    }
    close(fd);
    if (strstr(text, "4096 made-up frames equal") == NULL || strstr(text, NAME ": PASS") == NULL) {
        fail_msg("the self-test on the emulated core printed: %s", text);
    }
}

static void test_emulated_core(void **state)
{
    (void)state;
#ifdef SKIP_WITHOUT_EMULATOR
    if (!tin_process_exists("qemu-system-arm") || !tin_process_exists("arm-none-eabi-gcc")) {
        skip();
    }
#endif
    project p;
    tin_error err = {0};
    tin_verify_result r[2];
    char port[64];
    make_package(&p, &ordinary, 60);
    run((const char *const[]){"arm-none-eabi-gcc",
                              "-mcpu=cortex-m4",
                              "-mthumb",
                              "-O2",
                              "-std=gnu11",
                              "-Wall",
                              "-Wextra",
                              "-Werror",
                              "-ffunction-sections",
                              "-nostartfiles",
                              "-Wl,--gc-sections",
                              "-T",
                              TEST_FILES "/../../../src/deploy/targets/link.ld",
                              "-Wl,--defsym=flash_start=0,--defsym=flash_bytes=4M",
                              "-Wl,--defsym=ram_start=0x20000000,--defsym=ram_bytes=4M",
                              "-I",
                              SOURCE,
                              TEST_FILES "/uart_board.c",
                              SOURCE "/" NAME ".c",
                              SOURCE "/" NAME "_serial.c",
                              SOURCE "/" NAME "_selftest.c",
                              "-o",
                              TEST_TEMPORARY "/board.elf",
                              NULL});
    const pid_t qemu = start_qemu(port);
    must_pass_selftest(port);
    tin_verify_options o = options_of(port, 600);
    o.hello_seconds = 60;
    o.answer_seconds = 20;
    for (int i = 0; i < 2; i++) {
        err = (tin_error){0};
        const tin_status status = tin_verify(p.model, &p.rule, &p.dataset, &o, &r[i], &err);
        if (status != TIN_OK) {
            (void)kill(qemu, SIGKILL);
            must(status, &err);
        }
        assert_int_equal(r[i].frames, 600);
        assert_int_equal(r[i].decisions, 300);
        assert_int_equal(r[i].mismatches, 0);
        assert_true(r[i].has_clock);
    }
    /* the emulator's clock counts instructions, 64 ns each: the same frames take the same time */
    assert_true(r[0].step_mean_s > 5e-6 && r[0].step_mean_s < 1e-3);
    assert_true(r[0].step_worst_s > r[0].step_mean_s);
    assert_true(fabs(r[0].step_mean_s - r[1].step_mean_s) < 0.02 * r[0].step_mean_s);
    (void)kill(qemu, SIGKILL);
    (void)waitpid(qemu, NULL, 0);
    free_project(&p);
}

static bool has_pseudo_terminals(void)
{
    const int master = posix_openpt(O_RDWR | O_NOCTTY);
    const bool has = master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0 && ptsname(master) != NULL &&
                     access(ptsname(master), R_OK | W_OK) == 0;
    (void)close(master);
    return has;
}

int main(void)
{
    if (!has_pseudo_terminals()) {
        puts("skipped: this system has no pseudo terminals; mount /dev/pts");
        return 77;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shapes),          cmocka_unit_test(test_examples),
        cmocka_unit_test(test_noise),           cmocka_unit_test(test_noise_without_end),
        cmocka_unit_test(test_other_firmware),  cmocka_unit_test(test_no_board),
        cmocka_unit_test(test_board_goes_away), cmocka_unit_test(test_interrupt),
        cmocka_unit_test(test_memory),          cmocka_unit_test(test_emulated_core),
    };
    (void)signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
