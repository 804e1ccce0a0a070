/* Pieces of C text: arrays, kernels, strings, comments. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "deploy/emit.h"

/* One list of the runtime's files that can be embedded. */
#define KERNELS(X)                                                                                                     \
    X(kernel)                                                                                                          \
    X(multiply_high)                                                                                                   \
    X(requantize)                                                                                                      \
    X(read_row)                                                                                                        \
    X(write_row)                                                                                                       \
    X(sigmoid)                                                                                                         \
    X(curve)                                                                                                           \
    X(blend)                                                                                                           \
    X(state8)                                                                                                          \
    X(dot4)                                                                                                            \
    X(dot4_wide)                                                                                                       \
    X(lanes)                                                                                                           \
    X(widen_taps)                                                                                                      \
    X(state_lanes)                                                                                                     \
    X(four_sigmoids)                                                                                                   \
    X(move_words)                                                                                                      \
    X(narrow)                                                                                                          \
    X(requantize_four)                                                                                                 \
    X(wrap)                                                                                                            \
    X(t2_products)                                                                                                     \
    X(t2)                                                                                                              \
    X(t43)                                                                                                             \
    X(n4)                                                                                                              \
    X(book)                                                                                                            \
    X(cmsis_products)                                                                                                  \
    X(cmsis_window)                                                                                                    \
    X(cmsis_linear)                                                                                                    \
    X(cmsis_sums_linear)                                                                                               \
    X(cmsis_gru)                                                                                                       \
    X(cmsis_depthwise)                                                                                                 \
    X(helium)                                                                                                          \
    X(quad)                                                                                                            \
    X(quad_sigmoid)                                                                                                    \
    X(quad_curve)                                                                                                      \
    X(move)                                                                                                            \
    X(v16)                                                                                                             \
    X(v16_rows)                                                                                                        \
    X(v32)                                                                                                             \
    X(vector_linear)                                                                                                   \
    X(vector_gru)                                                                                                      \
    X(sparse)                                                                                                          \
    X(packed_once)                                                                                                     \
    X(packed_layer)                                                                                                    \
    X(packed_bytes)                                                                                                    \
    X(packed_wide)                                                                                                     \
    X(packed_relu)                                                                                                     \
    X(packed_rows)                                                                                                     \
    X(packed_gru)                                                                                                      \
    X(packed_gru_split)                                                                                                \
    X(linear)                                                                                                          \
    X(depthwise)                                                                                                       \
    X(recurrent)                                                                                                       \
    X(gru)                                                                                                             \
    X(gru_before)                                                                                                      \
    X(mgu)                                                                                                             \
    X(min_gru)                                                                                                         \
    X(lstm)                                                                                                            \
    X(mean)                                                                                                            \
    X(sum_row)                                                                                                         \
    X(sum_slide)                                                                                                       \
    X(sum_pool)                                                                                                        \
    X(max_row)                                                                                                         \
    X(avg_pool)                                                                                                        \
    X(max_pool)                                                                                                        \
    X(ema)                                                                                                             \
    X(log2_eighths)                                                                                                    \
    X(log_energy)                                                                                                      \
    X(log_mel)                                                                                                         \
    X(log_variance)                                                                                                    \
    X(slow_mean)                                                                                                       \
    X(high_pass)                                                                                                       \
    X(difference)                                                                                                      \
    X(magnitude)                                                                                                       \
    X(add)                                                                                                             \
    X(multiply)                                                                                                        \
    X(rescale)                                                                                                         \
    X(scale_input)                                                                                                     \
    X(scale_lanes)                                                                                                     \
    X(decision)

#define X(file) extern const char tin_fragment_##file[];
KERNELS(X)
#undef X

static const struct {
    const char *file, *text;
} known[] = {
#define X(file) {#file, tin_fragment_##file},
    KERNELS(X)
#undef X
};
_Static_assert(sizeof known / sizeof known[0] <= TIN_MAX_KERNELS, "tin_emit.kernels has a place for each");

/* The next place of one of the two prefixes in s, NULL when there is none. */
static const char *next_prefix(const char *s, bool *is_upper)
{
    const char *lower = strstr(s, "tink_"), *upper = strstr(s, "TINK_");
    *is_upper = upper != NULL && (lower == NULL || upper < lower);
    return *is_upper ? upper : lower;
}

/* tink_packed becomes the kernel of `encoding`, TINK_PACKED likewise. */
static void prefixed(tin_emit *e, const char *s, const char *end, tin_encoding encoding)
{
    bool is_upper;
    for (const char *hit; (hit = next_prefix(s, &is_upper)) != NULL && hit < end;) {
        tin_text_add_bytes(&e->source, s, (size_t)(hit - s));
        tin_text_printf(&e->source, "%s_", is_upper ? e->upper : e->name);
        s = hit + strlen("tink_");
        if (strncmp(s, is_upper ? "PACKED" : "packed", strlen("packed")) == 0) {
            for (const char *c = tin_encoding_name(encoding); *c != '\0'; c++) {
                const char letter = is_upper ? (char)toupper((unsigned char)*c) : *c;
                tin_text_add_bytes(&e->source, &letter, 1);
            }
            s += strlen("packed");
        }
    }
    tin_text_add_bytes(&e->source, s, (size_t)(end - s));
}

/* Whether the line, `#if TINK_...`, asks for something that this model needs; -1: it is no such line. */
static int condition(const tin_emit *e, const char *line)
{
    const struct {
        const char *line;
        bool holds;
    } conditions[] = {{"#if TINK_POWERS\n", e->powers},
                      {"#if TINK_WIDE\n", e->wide},
                      {"#if TINK_CURVES\n", e->curves},
                      {"#if TINK_ODD_UNITS\n", e->odd_units},
                      {"#if TINK_VECTORS\n", e->vectors},
                      {"#if TINK_SHIFTED\n", e->shifted},
                      {"#if TINK_ONCE\n", e->once_groups > 0},
                      {"#if TINK_FOLDED\n", e->folded},
                      {"#if TINK_ONCE_GRU\n", e->once[TIN_STORE_STATE]},
                      {"#if TINK_ONCE_WIDE\n", e->once[TIN_STORE_WIDE]},
                      {"#if TINK_ONCE_RELU\n", e->once[TIN_STORE_RELU]},
                      {"#if TINK_SMOOTHS\n", e->uses.smooths},
                      {"#if TINK_THRESHOLDS\n", e->uses.thresholds},
                      {"#if TINK_SCANS\n", e->uses.scans},
                      {"#if TINK_EVENTFUL\n", e->uses.eventful},
                      {"#if TINK_RESTS\n", e->uses.rests},
                      {"#if TINK_AGREES\n", e->uses.runs || e->uses.history},
                      {"#if TINK_RUNS\n", e->uses.runs},
                      {"#if TINK_HISTORY\n", e->uses.history},
                      {"#if TINK_KEEPS\n", e->uses.keeps},
                      {"#if TINK_LEADS\n", e->uses.leads},
                      {"#if TINK_WAITS\n", e->uses.wait > 0}};
    for (size_t i = 0; i < sizeof conditions / sizeof conditions[0]; i++) {
        if (strncmp(line, conditions[i].line, strlen(conditions[i].line)) == 0) {
            return conditions[i].holds;
        }
    }
    return -1;
}

/* Passes on the lines from `s` to `end` whose conditions hold; conditions that are the compiler's stay. */
static void each_line(tin_emit *e, const char *s, const char *end, tin_encoding encoding,
                      void (*take)(tin_emit *e, const char *s, const char *end, tin_encoding encoding))
{
    int holds[8] = {1}, own[8] = {0}, depth = 0; /* own: the condition is decided here */
    for (const char *next; s < end; s = next) {
        next = strchr(s, '\n') + 1;
        const int wanted = condition(e, s);
        if (strncmp(s, "#if", 3) == 0) {
            depth++;
            own[depth] = wanted >= 0;
            holds[depth] = holds[depth - 1] && wanted != 0;
        } else if (own[depth] && strncmp(s, "#else", 5) == 0) {
            holds[depth] = holds[depth - 1] && !holds[depth];
            continue;
        }
        const bool drop = own[depth] && (wanted >= 0 || strncmp(s, "#endif", 6) == 0);
        if (holds[depth] && !drop) {
            take(e, s, next, encoding);
        }
        depth -= strncmp(s, "#endif", 6) == 0;
    }
}

static void take_include(tin_emit *e, const char *s, const char *end, tin_encoding encoding)
{
    char file[64];
    if (sscanf(s, "#include \"runtime/%63[a-z0-9_].h\"", file) == 1 && end > s) {
        tin_emit_template(e, file, strncmp(file, "packed", strlen("packed")) == 0 ? encoding : TIN_ENCODING_PLAIN);
    }
}

/* What chord -1 - j is besides the mirror image of chord j: see runtime/sigmoid.h. */
static uint32_t fold_of(int j)
{
    const int32_t slope = (int16_t)tin_sigmoid_table[128 + j], below = (int16_t)tin_sigmoid_table[127 - j];
    return (uint32_t)(below - slope + 50);
}

static void folded_table(tin_emit *e)
{
    tin_text_add(&e->source,
                 "/* sigmoid, chord by chord: intercept * 2^16 + slope; behind them what those below 0 differ by */\n");
    tin_text_printf(&e->source, "static const uint32_t %s_sigmoid_table[160] = {", e->name);
    for (int i = 0; i < 160; i++) {
        const int j = 4 * (i - 128);
        const uint32_t word = i < 128 ? tin_sigmoid_table[128 + i]
                                      : fold_of(j) | fold_of(j + 1) << 8 | fold_of(j + 2) << 16 | fold_of(j + 3) << 24;
        tin_text_printf(&e->source, "%s0x%08x,", i % 8 == 0 ? "\n    " : " ", word);
    }
    tin_text_add(&e->source, "\n};\n\n");
}

static void sigmoid_table(tin_emit *e)
{
    if (e->folded) {
        folded_table(e);
        return;
    }
    tin_text_add(&e->source, "/* sigmoid, chord by chord: intercept * 2^16 + slope */\n");
    tin_text_printf(&e->source, "static const uint32_t %s_sigmoid_table[256] = {", e->name);
    for (int i = 0; i < 256; i++) {
        tin_text_printf(&e->source, "%s0x%08x,", i % 8 == 0 ? "\n    " : " ", tin_sigmoid_table[i]);
    }
    tin_text_add(&e->source, "\n};\n\n");
}

static void units(tin_emit *e)
{
    tin_text_printf(&e->source, "/* Groups of four columns that a loop of the packed kernels takes at a time. */\n");
    tin_text_printf(&e->source, "#define %s_UNIT %d\n", e->upper, e->unit);
    if (e->once_groups > 0) {
        tin_text_printf(&e->source, "/* How many some of them have, which take no loop. */\n#define %s_GROUPS %ld\n",
                        e->upper, e->once_groups);
    }
    tin_text_add(&e->source, "\n");
}

void tin_emit_template(tin_emit *e, const char *file, tin_encoding encoding)
{
    static const char begin_mark[] = "/* [fragment] */\n", end_mark[] = "/* [end] */";
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strcmp(file, known[i].file) != 0 || e->kernels[encoding][i]) {
            continue;
        }
        const char *text = known[i].text, *begin = strstr(text, begin_mark);
        e->kernels[encoding][i] = true;
        each_line(e, text, begin, encoding, take_include);
        if (strcmp(file, "sigmoid") == 0) {
            sigmoid_table(e);
        }
        if (strcmp(file, "requantize_four") == 0) {
            units(e);
        }
        if (strcmp(file, "decision") == 0) {
            tin_emit_rule_data(e);
        }
        each_line(e, begin + sizeof begin_mark - 1, strstr(begin, end_mark), encoding, prefixed);
        tin_text_add(&e->source, "\n");
    }
}

bool tin_emit_has_kernel(const tin_emit *e, const char *file)
{
    bool has = false;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        has = has || (strcmp(file, known[i].file) == 0 && e->kernels[TIN_ENCODING_PLAIN][i]);
    }
    return has;
}

void tin_emit_kernel(tin_emit *e, const char *file)
{
    tin_emit_template(e, file, TIN_ENCODING_PLAIN);
}

void tin_emit_array(tin_emit *e, const char *type, const char *label, const char *suffix, long n, tin_emit_value value,
                    const void *context)
{
    tin_text *t = &e->source;
    tin_text_printf(t, "static const %s %s_%s_%s[%ld] = {", type, e->name, label, suffix, n);
    int column = TIN_EMIT_COLUMNS;
    for (long i = 0; i < n; i++) {
        char number[24];
        const int length = snprintf(number, sizeof number, "%ld,", value(context, i));
        const bool fits = column + 1 + length <= TIN_EMIT_COLUMNS;
        tin_text_add(t, fits ? " " : "\n    ");
        tin_text_add(t, number);
        column = (fits ? column + 1 : 4) + length;
    }
    tin_text_add(t, "\n};\n");
}

static long int32_at(const void *context, long index)
{
    return ((const int32_t *)context)[index];
}

void tin_emit_int32s(tin_emit *e, const char *label, const char *suffix, const int32_t *values, long n)
{
    tin_emit_array(e, "int32_t", label, suffix, n, int32_at, values);
}

int32_t tin_emit_factor(const tin_emit *e, int32_t mult)
{
    int32_t down = 32;
    if (!e->powers) {
        return mult;
    }
    while (mult > 1) {
        mult >>= 1;
        down--;
    }
    return down;
}

typedef struct factors {
    const tin_emit *e;
    const int32_t *mult;
} factors;

static long factor_at(const void *context, long index)
{
    const factors *f = context;
    return tin_emit_factor(f->e, f->mult[index]);
}

void tin_emit_factors(tin_emit *e, const char *label, const int32_t *mult, long n)
{
    const factors f = {e, mult};
    tin_emit_array(e, "int32_t", label, "mult", n, factor_at, &f);
}

typedef struct padded {
    const int32_t *values;
    long n;
} padded;

static long padded_at(const void *context, long index)
{
    const padded *p = context;
    return index < p->n ? p->values[index] : 0;
}

void tin_emit_int32s_by_4(tin_emit *e, const char *label, const char *suffix, const int32_t *values, long n)
{
    const padded p = {values, n};
    tin_emit_array(e, "int32_t", label, suffix, (n + 3) / 4 * 4, padded_at, &p);
}

void tin_emit_string(tin_text *text, const char *s)
{
    tin_text_add(text, "\"");
    for (; *s != '\0'; s++) {
        const unsigned char c = (unsigned char)*s;
        if (c == '"' || c == '\\' || c == '?') { /* ? so that no trigraph comes about */
            tin_text_printf(text, "\\%c", c);
        } else if (c < 32 || c > 126) {
            tin_text_printf(text, "\\%03o", c);
        } else {
            tin_text_add_bytes(text, s, 1);
        }
    }
    tin_text_add(text, "\"");
}

/* Letters outside ASCII are kept out of comments: they may turn the writing direction or end a line in some editor. */
void tin_emit_comment(tin_text *text, const char *s)
{
    for (; *s != '\0'; s++) {
        const unsigned char c = (unsigned char)*s;
        if (c < 32 || c > 126 || c == '*' || c == '\\' || c == '?') {
            tin_text_printf(text, "<%02x>", c);
        } else {
            tin_text_add_bytes(text, s, 1);
        }
    }
}
