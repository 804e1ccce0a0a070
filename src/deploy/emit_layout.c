/* Lays generated text out anew: the kernels were written for a short prefix, so that with the model's name their lines
 * are too long, and what stood below an open parenthesis or above another comment does so no more. */
#include <string.h>

#include "deploy/emit.h"

#define MAX_STATEMENT 1024
#define MAX_DEPTH 16
#define NO_CUT 1000
#define LAST_INDENT 80 /* behind an open parenthesis further right than this there is no room */

/* The columns of the parentheses and brackets that are open. */
typedef struct nesting {
    int columns[MAX_DEPTH], depth;
} nesting;

static void follow(nesting *n, char c, int column)
{
    if (c == '(' || c == '[') {
        if (n->depth < MAX_DEPTH) {
            n->columns[n->depth] = column;
        }
        n->depth++;
    } else if (c == ')' || c == ']') {
        n->depth -= n->depth > 0;
    }
}

/* How bad it is to go on in a new line at s[at]; NO_CUT where that cannot be. Few open parentheses are best, then a comma
 * before an operator; right behind a parenthesis is for long names only. */
static int cut_cost(const char *s, size_t at, int depth)
{
    const char before = at > 0 ? s[at - 1] : '\0';
    if (before == '(' && s[at] != ')') {
        return 2 * MAX_DEPTH + 2 * depth;
    }
    if (before == '\0' || s[at] != ' ') {
        return NO_CUT;
    }
    return before == ',' || before == ';' ? 2 * depth : strchr("+-*&|?:<>", before) != NULL ? 2 * depth + 1 : NO_CUT;
}

/* The bytes of s that make the next line: up to the best cut as far right as possible, or to the first one if none is
 * within the columns; 0 when s cannot be cut. `open` goes on to the cut. */
static size_t next_cut(const char *s, size_t from, int indent, nesting *open)
{
    nesting now = *open;
    size_t cut = 0;
    int least = NO_CUT - 1;
    for (size_t i = from; s[i] != '\0' && (cut == 0 || i + (size_t)indent <= TIN_EMIT_COLUMNS); i++) {
        const int cost = cut_cost(s, i, now.depth);
        if (cost <= least) {
            cut = i;
            least = cost;
            *open = now;
        }
        follow(&now, s[i], (int)i + indent);
    }
    return cut;
}

/* A statement in lines of at most TIN_EMIT_COLUMNS, continued below the open parenthesis where there is room. */
static void add_statement(tin_text *out, const char *s)
{
    const int first_indent = (int)strspn(s, " ");
    nesting open = {.depth = 0};
    int indent = 0;
    size_t from = (size_t)first_indent, cut;
    while (strlen(s) + (size_t)indent > TIN_EMIT_COLUMNS && (cut = next_cut(s, from, indent, &open)) > 0) {
        const int inner = open.depth < MAX_DEPTH ? open.depth - 1 : MAX_DEPTH - 1;
        if (inner >= 0 && (s[cut - 1] == '(' || open.columns[inner] >= LAST_INDENT)) {
            open.columns[inner] = first_indent + 3;
        }
        indent = inner >= 0 ? open.columns[inner] + 1 : first_indent + 4;
        tin_text_add_bytes(out, s, cut);
        tin_text_printf(out, "\n%*s", indent, "");
        s += cut + (s[cut] == ' ');
        from = 0;
    }
    tin_text_add(out, s);
    tin_text_add(out, "\n");
}

static size_t line_length(const char *s)
{
    return strcspn(s, "\n");
}

/* Comments, preprocessor lines, parts of macros and text with strings stay as they are. */
static bool is_code(const char *line, size_t n)
{
    const size_t blanks = strspn(line, " ");
    return blanks < n && line[n - 1] != '\\' && line[blanks] != '#' && line[blanks] != '*' &&
           memchr(line, '"', n) == NULL && memchr(line, '/', n) == NULL;
}

/* The statement that begins at s, joined from the lines over which its parentheses stay open. Returns its bytes in s;
 * 0 when it does not fit. */
static size_t join(const char *s, char statement[MAX_STATEMENT])
{
    size_t used = 0, at = 0;
    nesting open = {.depth = 0};
    do {
        const size_t blanks = used > 0 ? strspn(s + at, " ") : 0, n = line_length(s + at) - blanks;
        if (used + n + 2 > MAX_STATEMENT || s[at] == '\0' || !is_code(s + at, n + blanks)) {
            return 0;
        }
        if (used > 0) {
            statement[used++] = ' ';
        }
        memcpy(statement + used, s + at + blanks, n);
        for (size_t i = 0; i < n; i++) {
            follow(&open, statement[used + i], 0);
        }
        used += n;
        at += blanks + n + (s[at + blanks + n] == '\n');
    } while (open.depth > 0);
    statement[used] = '\0';
    return at;
}

static void wrap_lines(const char *s, tin_text *out)
{
    char statement[MAX_STATEMENT];
    while (*s != '\0') {
        const size_t n = line_length(s), whole = n + (s[n] == '\n');
        const size_t joined = is_code(s, n) ? join(s, statement) : 0;
        if (joined > whole || (joined > 0 && n > TIN_EMIT_COLUMNS)) {
            add_statement(out, statement);
            s += joined;
        } else if (n > 1 && s[n - 1] == '\\') { /* part of a macro */
            size_t code = n - 1;
            while (code > 0 && s[code - 1] == ' ') {
                code--;
            }
            tin_text_add_bytes(out, s, code);
            tin_text_add(out, " \\\n");
            s += whole;
        } else {
            tin_text_add_bytes(out, s, whole);
            s += whole;
        }
    }
}

/* Bytes of code before the comment that ends the line, without the blanks between; 0 when there is none. */
static size_t code_before_comment(const char *line, size_t n)
{
    if (n < 4 || strncmp(line + n - 2, "*/", 2) != 0) {
        return 0;
    }
    for (size_t i = 1; i + 2 < n; i++) {
        if (strncmp(line + i, " /*", 3) == 0) {
            while (i > 0 && line[i - 1] == ' ') {
                i--;
            }
            return i;
        }
    }
    return 0;
}

/* Lines one after another that end with comments: the comments stand in one column, unless a line grows too long. */
static void align_comments(const char *s, tin_text *out)
{
    while (*s != '\0') {
        size_t widest = 0, longest = 0, at = 0, n, code;
        for (; n = line_length(s + at), (code = code_before_comment(s + at, n)) > 0; at += n + (s[at + n] == '\n')) {
            const size_t comment = n - code - strspn(s + at + code, " ");
            widest = code > widest ? code : widest;
            longest = comment > longest ? comment : longest;
        }
        if (at == 0) {
            const size_t whole = n + (s[n] == '\n');
            tin_text_add_bytes(out, s, whole);
            s += whole;
            continue;
        }
        const bool align = widest + 1 + longest <= TIN_EMIT_COLUMNS;
        for (const char *end = s + at; s < end; s += n + (s[n] == '\n')) {
            n = line_length(s);
            code = code_before_comment(s, n);
            tin_text_add_bytes(out, s, code);
            tin_text_printf(out, "%*s", align ? (int)(widest - code) + 1 : 1, "");
            const size_t comment = code + strspn(s + code, " ");
            tin_text_add_bytes(out, s + comment, n - comment);
            tin_text_add(out, "\n");
        }
    }
}

void tin_emit_layout(tin_text *text)
{
    tin_text wrapped = {0}, aligned = {0};
    if (text->status != TIN_OK || text->data == NULL) {
        return;
    }
    wrap_lines(text->data, &wrapped);
    if (wrapped.status == TIN_OK && wrapped.data != NULL) {
        align_comments(wrapped.data, &aligned);
    } else {
        aligned.status = wrapped.status;
    }
    tin_text_free(&wrapped);
    tin_text_free(text);
    *text = aligned;
}
