#include "inspect/findings.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"

static const struct {
    const char *name, *title, *mend;
} checks[] = {
#define X(check, name, title, mend) {name, title, mend},
    TIN_CHECK_LIST(X)
#undef X
};

const char *tin_check_name(tin_check check)
{
    return checks[check].name;
}

const char *tin_check_title(tin_check check)
{
    return checks[check].title;
}

const char *tin_check_mend(tin_check check)
{
    return checks[check].mend;
}

const char *tin_severity_name(tin_severity severity)
{
    return severity == TIN_FAULT ? "fault" : severity == TIN_WARNING ? "warning" : "note";
}

tin_finding tin_finding_of(tin_check check, tin_severity severity)
{
    return (tin_finding){.check = check,
                         .severity = severity,
                         .stream = -1,
                         .other = -1,
                         .class_index = TIN_NO_CLASS,
                         .suggested = TIN_NO_CLASS,
                         .channel = -1,
                         .value = (double)NAN,
                         .limit = (double)NAN};
}

static tin_status reserve(tin_findings *findings, size_t n, tin_error *err)
{
    if (n <= findings->capacity) {
        return TIN_OK;
    }
    size_t capacity = 2 * n > 32 ? 2 * n : 32;
    tin_finding *grown = findings->items ? tin_grow(findings->items, findings->capacity, capacity, sizeof *grown, err)
                                         : tin_alloc(capacity, sizeof *grown, err);
    if (!grown) {
        return TIN_ERR_MEMORY;
    }
    findings->items = grown;
    findings->capacity = capacity;
    return TIN_OK;
}

tin_status tin_findings_add(tin_findings *findings, tin_finding finding, tin_error *err, const char *format, ...)
{
    char text[768];
    va_list arguments;
    tin_status status = reserve(findings, findings->n + 1, err);
    if (status) {
        return status;
    }
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    finding.text = tin_strdup(text, err);
    if (!finding.text) {
        return TIN_ERR_MEMORY;
    }
    findings->items[findings->n++] = finding;
    findings->found[finding.check]++;
    return TIN_OK;
}

tin_status tin_findings_move(tin_findings *to, tin_findings *from, tin_error *err)
{
    tin_status status = reserve(to, to->n + from->n, err);
    if (status) {
        return status;
    }
    for (size_t i = 0; i < from->n; i++) {
        to->items[to->n++] = from->items[i];
    }
    for (int c = 0; c < TIN_CHECK_COUNT; c++) {
        to->found[c] += from->found[c];
    }
    from->n = 0;
    tin_findings_free(from);
    return TIN_OK;
}

static int compare(const void *left, const void *right)
{
    const tin_finding *a = left, *b = right;
    if (a->check != b->check) {
        return a->check < b->check ? -1 : 1;
    }
    if (a->severity != b->severity) {
        return a->severity > b->severity ? -1 : 1;
    }
    if (a->rank != b->rank) {
        return a->rank > b->rank ? -1 : 1;
    }
    if (a->stream != b->stream) {
        return a->stream < b->stream ? -1 : 1;
    }
    if (a->start != b->start) {
        return a->start < b->start ? -1 : 1;
    }
    if (a->channel != b->channel) {
        return a->channel < b->channel ? -1 : 1;
    }
    return a->class_index - b->class_index;
}

void tin_findings_sort(tin_findings *findings, size_t most)
{
    size_t kept = 0, of_check[TIN_CHECK_COUNT] = {0};
    if (findings->n > 0) {
        qsort(findings->items, findings->n, sizeof *findings->items, compare);
    }
    for (size_t i = 0; i < findings->n; i++) {
        tin_finding *f = &findings->items[i];
        if (of_check[f->check]++ < most) {
            findings->items[kept++] = *f;
        } else {
            tin_free(f->text);
        }
    }
    findings->n = kept;
}

size_t tin_findings_count(const tin_findings *findings, tin_severity severity)
{
    size_t n = 0;
    for (size_t i = 0; i < findings->n; i++) {
        n += findings->items[i].severity == severity;
    }
    return n;
}

void tin_findings_free(tin_findings *findings)
{
    for (size_t i = 0; i < findings->n; i++) {
        tin_free(findings->items[i].text);
    }
    tin_free(findings->items);
    *findings = (tin_findings){0};
}
