/* Which names can be the prefix of generated code. */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "deploy/emit.h"

static const char *const keywords[] = {
    /* C99 to C23 */
    "auto", "break", "case", "char", "const", "continue", "default", "do", "double", "else", "enum", "extern", "float",
    "for", "goto", "if", "inline", "int", "long", "register", "restrict", "return", "short", "signed", "sizeof",
    "static", "struct", "switch", "typedef", "union", "unsigned", "void", "volatile", "while", "alignas", "alignof",
    "bool", "constexpr", "false", "nullptr", "static_assert", "thread_local", "true", "typeof", "typeof_unqual", "asm",
    "fortran",
    /* C++ */
    "and", "and_eq", "bitand", "bitor", "catch", "char8_t", "char16_t", "char32_t", "class", "compl", "concept",
    "consteval", "constinit", "const_cast", "co_await", "co_return", "co_yield", "decltype", "delete", "dynamic_cast",
    "explicit", "export", "friend", "mutable", "namespace", "new", "noexcept", "not", "not_eq", "operator", "or",
    "or_eq", "private", "protected", "public", "reinterpret_cast", "requires", "static_cast", "template", "this",
    "throw", "try", "typeid", "typename", "using", "virtual", "wchar_t", "xor", "xor_eq"};

/* NAME_t would be a type, or NAME.h a header, of the standard library or POSIX; in any case of letters, as there are file
 * systems to which String.h is string.h. */
static const char *const taken[] = {
    "int8",         "int16",        "int32",       "int64",       "uint8",       "uint16",      "uint32",
    "uint64",       "int_least8",   "int_least16", "int_least32", "int_least64", "uint_least8", "uint_least16",
    "uint_least32", "uint_least64", "int_fast8",   "int_fast16",  "int_fast32",  "int_fast64",  "uint_fast8",
    "uint_fast16",  "uint_fast32",  "uint_fast64", "intptr",      "uintptr",     "intmax",      "uintmax",
    "size",         "ssize",        "rsize",       "ptrdiff",     "wchar",       "max_align",   "char8",
    "char16",       "char32",       "wint",        "div",         "ldiv",        "lldiv",       "imaxdiv",
    "time",         "clock",        "fpos",        "errno",       "sig_atomic",  "mbstate",     "wctrans",
    "wctype",       "off",          "pid",         "uid",         "gid",         "mode",        "locale",
    "fenv",         "fexcept",      "float",       "double",      "mtx",         "cnd",         "thrd",
    "tss",          "once_flag",    "assert",      "complex",     "ctype",       "inttypes",    "iso646",
    "limits",       "math",         "setjmp",      "signal",      "stdalign",    "stdarg",      "stdatomic",
    "stdbit",       "stdbool",      "stdckdint",   "stddef",      "stdint",      "stdio",       "stdlib",
    "stdnoreturn",  "string",       "strings",     "tgmath",      "threads",     "uchar",       "unistd",
    "memory",       "features"};

static bool is_keyword(const char *name)
{
    for (size_t i = 0; i < sizeof keywords / sizeof keywords[0]; i++) {
        if (strcmp(name, keywords[i]) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_taken(const char *name)
{
    char lower[TIN_NAME_MAX + 1] = "";
    for (size_t i = 0; name[i] != '\0'; i++) {
        lower[i] = (char)tolower((unsigned char)name[i]);
    }
    for (size_t i = 0; i < sizeof taken / sizeof taken[0]; i++) {
        if (strcmp(lower, taken[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* The first word of the name behind the first one that generated names have too, as NAME_CLASS_..., NAME_result_t and
 * NAME_decision_t do: with it another model in the same firmware could share them. NULL: none. */
static const char *shared_word(const char *name)
{
    static const struct {
        const char *word;
        bool last; /* only at the end */
    } words[] = {{"class", false}, {"result", true}, {"decision", true}};
    for (const char *part = strchr(name, '_'); part != NULL; part = strchr(part + 1, '_')) {
        const size_t n = strcspn(part + 1, "_");
        for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
            const char *word = words[i].word;
            if (n == strlen(word) && strncasecmp(part + 1, word, n) == 0 && (!words[i].last || part[1 + n] == '\0')) {
                return word;
            }
        }
    }
    return NULL;
}

tin_status tin_emit_check_name(const char *name, tin_error *err)
{
    if (name == NULL || name[0] == '\0') {
        return tin_fail(err, TIN_ERR_MODEL,
                        "the generated code has no name; set deploy.name, for example to \"gestures\"");
    }
    if (strlen(name) > TIN_NAME_MAX) {
        return tin_fail(err, TIN_ERR_MODEL, "the name \"%.80s\" has more than %d letters; shorten it", name,
                        TIN_NAME_MAX);
    }
    for (const char *c = name; *c != '\0'; c++) {
        const bool letter = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z');
        const bool digit = *c >= '0' && *c <= '9';
        if (!letter && !(digit && c > name) && !(*c == '_' && c > name && c[-1] != '_' && c[1] != '\0')) {
            return tin_fail(
                err, TIN_ERR_MODEL,
                "\"%s\" cannot be the prefix of C code; begin with a letter and go on with letters, digits and single "
                "underscores between them",
                name);
        }
    }
    if (is_keyword(name)) {
        return tin_fail(err, TIN_ERR_MODEL, "\"%s\" is a word of C or C++; add something, for example \"%s_model\"",
                        name, name);
    }
    if (is_taken(name)) {
        return tin_fail(err, TIN_ERR_MODEL,
                        "\"%s_t\" or \"%s.h\" belongs to the C library; add something, for example \"%s_model\"", name,
                        name, name);
    }
    const char *word = shared_word(name);
    if (word != NULL) {
        return tin_fail(
            err, TIN_ERR_MODEL,
            "\"%s\" has _%s in it, as generated names do, so that another model in the same firmware could share "
            "one of them; write it otherwise, for example \"%ss\" or \"%.*s%s\"",
            name, word, word, (int)(strcspn(name, "_")), name, word);
    }
    return TIN_OK;
}
