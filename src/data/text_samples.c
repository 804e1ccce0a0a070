/* Delimited text into samples, as fast as one pass over the bytes goes. Rows as almost all are (plain numbers, a label as
 * in the row before) take a path without calls; a row that is anything else is taken again by the rules of text_table.h,
 * which know quotes and missing numbers and make the errors. The text is cut into blocks at line ends, and each block
 * writes to its own part of the arrays, so that the result does not depend on who reads what. */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "data/clock.h"
#include "data/decimal.h"
#include "data/samples.h"
#include "data/text_table.h"

#define LONGEST_STEP_S 1e9 /* 30 years: no recorder waits so long */
#define MAX_SENSORS 64

enum column_kind { SKIP, VALUE, TIME, LABEL, SUBJECT };

/* What is done with one column of the file. */
typedef struct column_use {
    enum column_kind kind;
    int track, slot;
    double factor;
} column_use;

typedef struct text_job {
    const tin_sample_layout *layout;
    const tin_text_table *t;
    column_use *uses; /* [n_uses], up to the last column that is read */
    size_t n_uses;
    size_t time, label, subject; /* columns, where kinds say so */
    bool iso8601, split_back, has_comment;
    bool plain_time; /* a number, which none stands for "missing" */
    double ticks_per_second;
    tin_samples *s; /* whose arrays hold all blocks one behind the other */
} text_job;

typedef struct text_block {
    const text_job *job;
    const char *from, *to;
    size_t first_row, capacity; /* its part of the arrays */
    size_t n_rows, n[MAX_SENSORS];
    double *room[MAX_SENSORS]; /* where the next sample of each track goes */
    double last_ticks;
    tin_row_texts labels, subjects;
    tin_samples cut_list; /* its cuts alone are used */
    size_t n_broken;
    const char *first_broken;
    long n_lines;        /* of the block */
    bool quotes, nuls;   /* there are such bytes */
    const char *counted; /* up to here there are `lines` line ends in it */
    long lines;
    tin_fields *fields;
    tin_error err;
} text_block;

/* A row that was read and is not yet counted. Its numbers stand in the arrays already. */
typedef struct text_row {
    const char *at;
    double ticks;
    uint64_t absent; /* bit per track: no sample */
    bool no_time, new_label, new_subject, back;
    tin_slice label, subject;
} text_row;

static bool is_one_of(char *const *texts, unsigned n, tin_slice field)
{
    for (unsigned i = 0; i < n; i++)
        if (strlen(texts[i]) == field.size && memcmp(texts[i], field.at, field.size) == 0)
            return true;
    return false;
}

static bool is_text(const char *text, tin_slice field)
{
    return text[0] != '\0' && strlen(text) == field.size && memcmp(text, field.at, field.size) == 0;
}

/* True when the field differs from the last text that is noted. */
static bool is_new(const tin_row_texts *texts, tin_slice field)
{
    if (texts->n == 0)
        return true;
    const tin_row_text *last = &texts->items[texts->n - 1];
    return last->size != field.size || memcmp(last->text, field.at, field.size) != 0;
}

static double *value_at(const text_block *b, const column_use *u)
{
    return b->room[u->track] + u->slot;
}

/* End of a plain field; NULL when it is quoted. *field is cut. In bounds, as a row end follows. */
static inline const char *plain_field(const unsigned char *kinds, const char *p, tin_slice *field)
{
    const char *q = p;
    if (kinds[(unsigned char)*p] == TIN_QUOTE)
        return NULL;
    while (!(kinds[(unsigned char)*q] & (TIN_SEPARATOR | TIN_ROW_END)))
        q++;
    const char *last = q;
    while (last > p && kinds[(unsigned char)last[-1]] & TIN_BLANK)
        last--;
    *field = (tin_slice){p, (size_t)(last - p)};
    return q;
}

static bool take_time(const text_block *b, tin_slice field, text_row *row)
{
    const text_job *j = b->job;
    if (is_text(j->layout->settings->time_missing, field)) {
        row->no_time = true;
        return true;
    }
    bool good = j->iso8601 ? tin_clock_iso8601(field.at, field.size, &row->ticks)
                           : tin_decimal(field.at, field.size, j->t->point, &row->ticks);
    if (!good || !isfinite(row->ticks))
        return false;
    row->back = b->n_rows > 0 && row->ticks < b->last_ticks;
    return true;
}

/* True when the time may follow the one before. */
static bool time_follows(const text_block *b, const text_row *row)
{
    return row->back ? b->job->split_back
                     : b->n_rows == 0 || row->ticks - b->last_ticks <= LONGEST_STEP_S * b->job->ticks_per_second;
}

/* The field at p by its use; returns its end or NULL: not the fast way. */
static inline const char *fast_field(const text_block *b, const column_use *u, const char *p, text_row *row)
{
    const text_job *j = b->job;
    const tin_text_table *t = j->t;
    const char *q = p;
    tin_slice field;
    double v;
    if ((u->kind == VALUE || (u->kind == TIME && j->plain_time)) &&
        (q = tin_decimal_fast(p, t->end, t->point, &v)) != NULL) {
        if (u->kind == VALUE) {
            *value_at(b, u) = v * u->factor;
        } else {
            row->ticks = v;
            row->back = b->n_rows > 0 && v < b->last_ticks;
        }
        return q;
    }
    if (u->kind == VALUE) {
        q = plain_field(t->kinds, p, &field);
        if (q == NULL || !is_one_of(j->layout->settings->missing, j->layout->settings->missing_count, field))
            return NULL;
        row->absent |= (uint64_t)1 << u->track;
        return q;
    }
    q = plain_field(t->kinds, p, &field);
    if (q == NULL)
        return NULL;
    if (u->kind == TIME)
        return take_time(b, field, row) ? q : NULL;
    if (u->kind == LABEL) {
        row->new_label = is_new(&b->labels, field);
        row->label = field;
    } else if (u->kind == SUBJECT) {
        row->new_subject = is_new(&b->subjects, field);
        row->subject = field;
    }
    return q;
}

/* The row at p when it is a plain one: what follows it, else NULL and nothing is changed that counts. */
static const char *fast_row(const text_block *b, const char *p, text_row *row)
{
    static const column_use unused = {.kind = SKIP};
    const text_job *j = b->job;
    const unsigned char *kinds = j->t->kinds;
    const size_t n_columns = j->t->n_columns;
    for (size_t c = 0; c < n_columns; c++) {
        while (kinds[(unsigned char)*p] & TIN_BLANK)
            p++;
        if (j->t->runs && kinds[(unsigned char)*p] & TIN_ROW_END)
            return NULL; /* too few */
        const char *q = fast_field(b, c < j->n_uses ? &j->uses[c] : &unused, p, row);
        if (q == NULL)
            return NULL;
        while (kinds[(unsigned char)*q] == TIN_BLANK)
            q++;
        if (c + 1 < n_columns) {
            if (!(kinds[(unsigned char)*q] & TIN_SEPARATOR))
                return NULL;
        } else {
            while (kinds[(unsigned char)*q] & TIN_BLANK)
                q++;
            if (!(kinds[(unsigned char)*q] & TIN_ROW_END))
                return NULL;
        }
        p = q + 1;
    }
    return row->no_time || time_follows(b, row) ? p : NULL;
}

static tin_status bad_time(const text_block *b, const text_row *row, tin_error *err)
{
    const text_job *j = b->job;
    char place[TIN_TEXT_MAX_PLACE];
    const long line = tin_text_line(j->t, row->at);
    const tin_slice field = b->fields->at[j->time];
    const int size = field.size < 60 ? (int)field.size : 60;
    (void)tin_text_place(j->t, j->time, place);
    if (!row->back)
        return tin_fail_at(err, TIN_ERR_DATA, j->t->path, line,
                           "%s: %.*s is more than 30 years after the row before; correct %s.time_unit or the value",
                           place, size, field.at, j->layout->where);
    return tin_fail_at(err, TIN_ERR_DATA, j->t->path, line,
                       "%s: time %.*s comes after %.15g, so it runs backwards; sort the rows by time, start a new file "
                       "where the clock was set, or write time_back: split",
                       place, size, field.at, b->last_ticks);
}

static tin_status slow_time(const text_block *b, text_row *row, tin_error *err)
{
    const text_job *j = b->job;
    char place[TIN_TEXT_MAX_PLACE];
    const tin_slice field = b->fields->at[j->time];
    if (!take_time(b, field, row)) {
        if (!j->iso8601)
            return tin_text_number(j->t, row->at, b->fields, j->time, &row->ticks, err);
        return tin_fail_at(err, TIN_ERR_DATA, j->t->path, tin_text_line(j->t, row->at),
                           "%s: '%.*s' is no time of ISO 8601; write it like 2024-03-01T12:30:00.25Z",
                           tin_text_place(j->t, j->time, place), (int)(field.size < 60 ? field.size : 60), field.at);
    }
    return TIN_OK;
}

/* Any row, by the rules of text_table.h; *next is set also for a broken one. Whether its time follows is not looked at. */
static tin_status slow_row(text_block *b, const char *p, text_row *row, const char **next, tin_error *err)
{
    const text_job *j = b->job;
    const tin_text_table *t = j->t;
    *row = (text_row){.at = p};
    tin_status status = tin_text_row(t, p, b->fields, next, err);
    if (status != TIN_OK) { /* to be passed over, if it may be */
        while (p < t->end && !(t->kinds[(unsigned char)*p] & TIN_ROW_END))
            p++;
        *next = p < t->end ? p + 1 : p;
        return status;
    }
    status = tin_text_check_count(t, p, b->fields, err);
    for (size_t c = 0; c < j->n_uses && status == TIN_OK; c++) {
        const column_use *u = &j->uses[c];
        const tin_slice field = b->fields->at[c];
        double v = 0;
        if (u->kind == VALUE && is_one_of(j->layout->settings->missing, j->layout->settings->missing_count, field)) {
            row->absent |= (uint64_t)1 << u->track;
        } else if (u->kind == VALUE) {
            status = tin_text_number(t, p, b->fields, c, &v, err);
            *value_at(b, u) = v * u->factor;
        } else if (u->kind == TIME) {
            status = slow_time(b, row, err);
        } else if (u->kind == LABEL) {
            row->new_label = is_new(&b->labels, field);
            row->label = field;
        } else if (u->kind == SUBJECT) {
            row->new_subject = is_new(&b->subjects, field);
            row->subject = field;
        }
    }
    return status;
}

/* Line ends from the block's begin to p, counted on from the last place that was asked for. */
static long lines_before(text_block *b, const char *p)
{
    for (const char *s = b->counted; s < p && (s = memchr(s, '\n', (size_t)(p - s))) != NULL; s++)
        b->lines++;
    b->counted = p;
    return b->lines;
}

static tin_status count_row(text_block *b, const text_row *row, tin_error *err)
{
    const text_job *j = b->job;
    tin_samples *s = j->s;
    tin_status status = TIN_OK;
    if (row->no_time)
        return TIN_OK;
    if (s->ticks != NULL)
        s->ticks[b->first_row + b->n_rows] = b->last_ticks = row->ticks;
    for (int i = 0; i < s->n_tracks; i++)
        if (!(row->absent >> i & 1)) {
            if (s->rows[i] != NULL)
                s->rows[i][b->first_row + b->n[i]] = (uint32_t)b->n_rows;
            b->n[i]++;
            b->room[i] += s->tracks[i].n_channels;
        }
    if (row->new_label)
        status =
            tin_row_texts_add(&b->labels, b->n_rows, lines_before(b, row->at), row->label.at, row->label.size, err);
    if (row->new_subject && status == TIN_OK)
        status = tin_row_texts_add(&b->subjects, b->n_rows, lines_before(b, row->at), row->subject.at,
                                   row->subject.size, err);
    if (row->back && status == TIN_OK)
        status = tin_samples_add_cut(&b->cut_list, b->n_rows, err);
    b->n_rows++;
    return status;
}

static tin_status read_block(text_block *b, tin_error *err)
{
    const text_job *j = b->job;
    const tin_text_table *t = j->t;
    const char *last_end = b->to; /* a fast row needs a row end ahead */
    while (last_end > b->from && !(t->kinds[(unsigned char)last_end[-1]] & TIN_ROW_END))
        last_end--;
    tin_status status = TIN_OK;
    for (int i = 0; i < j->s->n_tracks; i++)
        b->room[i] = j->s->tracks[i].values + b->first_row * (size_t)j->s->tracks[i].n_channels;
    for (const char *p = b->from, *next = NULL; p < b->to && status == TIN_OK; p = next) {
        text_row row = {.at = p};
        next = p < last_end && !(j->has_comment && *p == t->comment[0]) ? fast_row(b, p, &row) : NULL;
        if (next == NULL) {
            p = tin_text_skip(t, p);
            next = p;
            if (p >= b->to)
                break;
            tin_error broken = {0};
            status = slow_row(b, p, &row, &next, &broken);
            if (status == TIN_ERR_DATA && j->layout->settings->skip_broken) {
                b->first_broken = b->n_broken++ == 0 ? p : b->first_broken;
                status = TIN_OK;
                continue;
            }
            if (status != TIN_OK) {
                *err = broken;
                break;
            }
            if (!row.no_time && j->s->ticks != NULL && !time_follows(b, &row))
                return bad_time(b, &row, err);
        }
        status = count_row(b, &row, err);
    }
    return status;
}

static void block_job(void *context, int index, int thread)
{
    (void)thread;
    text_block *b = (text_block *)context + index;
    b->err.status = read_block(b, &b->err);
}

/* Counts line ends and bytes that end rows, and looks for quotes and NUL bytes, in pieces whose counts fit a byte: the
 * compiler looks at many bytes at a time. */
static void survey_block(text_block *b)
{
    const tin_text_table *t = b->job->t;
    const char line = t->kinds['\r'] == TIN_BLANK ? '\n' : '\r';
    const char *row_end_text = b->job->layout->settings->text.row_end;
    const char row_end = row_end_text != NULL && row_end_text[0] != '\0' ? row_end_text[0] : line;
    for (const char *s = b->from; s < b->to;) {
        const size_t size = b->to - s < 192 ? (size_t)(b->to - s) : 192;
        unsigned char lines = 0, ends = 0, quotes = 0, nuls = 0;
        for (size_t i = 0; i < size; i++) {
            lines = (unsigned char)(lines + (s[i] == line));
            ends = (unsigned char)(ends + (s[i] == row_end));
            quotes |= s[i] == '"';
            nuls |= s[i] == '\0';
        }
        b->n_lines += lines;
        b->capacity += lines + (row_end != line ? ends : 0u);
        b->quotes |= quotes;
        b->nuls |= nuls;
        s += size;
    }
    b->capacity += !(t->kinds[(unsigned char)b->to[-1]] & TIN_ROW_END);
    b->n_lines = line == '\n' ? b->n_lines : 0;
}

static void survey_job(void *context, int index, int thread)
{
    (void)thread;
    survey_block((text_block *)context + index);
}

static void run_jobs(tin_pool *pool, size_t n, void (*job)(void *context, int index, int thread), text_block *blocks)
{
    if (pool != NULL && n > 1)
        tin_pool_run(pool, (int)n, job, blocks);
    else
        for (size_t i = 0; i < n; i++)
            job(blocks, (int)i, 0);
}

/* Text with quotes is one block, as a line end may stand in a field. */
static void join_surveys(text_block *blocks, size_t *n)
{
    bool quotes = false;
    for (size_t i = 0; i < *n; i++)
        quotes |= blocks[i].quotes && blocks[i].job->t->kinds['"'] == TIN_QUOTE;
    for (size_t i = 1; quotes && i < *n; i++) {
        blocks[0].n_lines += blocks[i].n_lines;
        blocks[0].capacity += blocks[i].capacity;
        blocks[0].nuls |= blocks[i].nuls;
        blocks[0].to = blocks[i].to;
    }
    *n = quotes ? 1 : *n;
}

/* Cuts the rows into blocks at line ends, and says how many rows each can have. */
static tin_status make_blocks(const text_job *j, size_t block_bytes, tin_pool *pool, text_block **blocks, size_t *n,
                              tin_error *err)
{
    const tin_text_table *t = j->t;
    *blocks = tin_alloc((size_t)(t->end - t->first) / block_bytes + 1, sizeof **blocks, err);
    if (*blocks == NULL)
        return TIN_ERR_MEMORY;
    for (const char *from = t->first, *to; from < t->end; from = to) {
        const size_t rest = (size_t)(t->end - from);
        const char *line = rest > block_bytes ? memchr(from + block_bytes - 1, '\n', rest - block_bytes + 1) : NULL;
        to = line != NULL ? line + 1 : t->end;
        (*blocks)[(*n)++] = (text_block){.job = j, .from = from, .to = to, .counted = from};
    }
    run_jobs(pool, *n, survey_job, *blocks);
    join_surveys(*blocks, n);
    size_t first_row = 0;
    for (size_t i = 0; i < *n; i++) {
        text_block *b = &(*blocks)[i];
        if (b->nuls)
            return tin_text_nul(t->path, err);
        b->first_row = first_row;
        first_row += b->capacity;
        b->fields = tin_alloc(1, sizeof *b->fields, err);
        if (b->fields == NULL)
            return TIN_ERR_MEMORY;
    }
    return TIN_OK;
}

static tin_status make_arrays(const text_job *j, size_t capacity, bool missing, tin_error *err)
{
    tin_samples *s = j->s;
    bool timed = j->layout->settings->time_column[0] != '\0';
    for (int i = 0; i < s->n_tracks; i++) {
        tin_track *t = &s->tracks[i];
        t->values = tin_alloc(capacity, (size_t)t->n_channels * sizeof *t->values, err);
        s->rows[i] = missing ? tin_alloc(capacity, sizeof **s->rows, err) : NULL;
        if (t->values == NULL || (missing && s->rows[i] == NULL))
            return TIN_ERR_MEMORY;
    }
    s->ticks = timed ? tin_alloc(capacity, sizeof *s->ticks, err) : NULL;
    return timed && s->ticks == NULL ? TIN_ERR_MEMORY : TIN_OK;
}

/* Moves changes of a block behind those before it; one that repeats the last text is no change. */
static tin_status join_texts(tin_row_texts *all, const tin_row_texts *part, size_t first_row, long first_line,
                             tin_error *err)
{
    tin_status status = TIN_OK;
    for (size_t i = 0; i < part->n && status == TIN_OK; i++) {
        const tin_row_text *x = &part->items[i];
        if (all->n == 0 || strcmp(all->items[all->n - 1].text, x->text) != 0)
            status = tin_row_texts_add(all, first_row + x->row, first_line + x->line, x->text, strlen(x->text), err);
    }
    return status;
}

/* The first time of a block against the last one of those before. */
static tin_status check_border(const text_job *j, const text_block *b, double last, tin_error *err)
{
    tin_samples *s = j->s;
    const double first = s->ticks[b->first_row];
    const bool back = first < last;
    if (back && j->split_back)
        return tin_samples_add_cut(s, s->n_rows, err);
    if (!back && first - last <= LONGEST_STEP_S * j->ticks_per_second)
        return TIN_OK;
    text_block again = *b; /* read its first row again, now with what came before it */
    const char *next = NULL, *p = b->from;
    text_row row = {.at = p};
    again.n_rows = 1;
    again.last_ticks = last;
    while ((p = tin_text_skip(j->t, p)) < b->to) {
        tin_error broken = {0};
        if (slow_row(&again, p, &row, &next, &broken) == TIN_OK && !row.no_time)
            break;
        p = next;
    }
    return bad_time(&again, &row, err);
}

/* The blocks' parts close up, and their rows count on. The first fault in the file is reported. */
static tin_status join_blocks(const text_job *j, text_block *blocks, size_t n_blocks, tin_error *err)
{
    tin_samples *s = j->s;
    tin_status status = TIN_OK;
    long first_line = tin_text_line(j->t, j->t->first);
    for (size_t k = 0; k < n_blocks && status == TIN_OK; first_line += blocks[k].n_lines, k++) {
        const text_block *b = &blocks[k];
        if (s->ticks != NULL && s->n_rows > 0 && b->n_rows > 0)
            status = check_border(j, b, s->ticks[s->n_rows - 1], err);
        if (status == TIN_OK && b->err.status != TIN_OK) {
            status = b->err.status;
            if (err != NULL)
                *err = b->err;
        }
        for (size_t i = 0; i < b->cut_list.n_cuts && status == TIN_OK; i++)
            status = tin_samples_add_cut(s, s->n_rows + b->cut_list.cuts[i], err);
        if (status == TIN_OK)
            status = join_texts(&s->labels, &b->labels, s->n_rows, first_line, err);
        if (status == TIN_OK)
            status = join_texts(&s->subjects, &b->subjects, s->n_rows, first_line, err);
        if (status != TIN_OK)
            break;
        if (s->ticks != NULL && b->first_row != s->n_rows)
            memmove(s->ticks + s->n_rows, s->ticks + b->first_row, b->n_rows * sizeof *s->ticks);
        for (int i = 0; i < s->n_tracks; i++) {
            tin_track *t = &s->tracks[i];
            const size_t width = (size_t)t->n_channels;
            if (t->n_samples != b->first_row)
                memmove(t->values + t->n_samples * width, t->values + b->first_row * width,
                        b->n[i] * width * sizeof *t->values);
            for (size_t r = 0; s->rows[i] != NULL && r < b->n[i]; r++)
                s->rows[i][t->n_samples + r] = s->rows[i][b->first_row + r] + (uint32_t)s->n_rows;
            t->n_samples += b->n[i];
        }
        if (b->n_broken > 0 && s->n_broken == 0)
            s->first_broken = tin_text_line(j->t, b->first_broken);
        s->n_broken += b->n_broken;
        s->n_rows += b->n_rows;
    }
    return status;
}

static tin_status use_column(text_job *j, const char *name, const char *setting, column_use use, size_t *column,
                             tin_error *err)
{
    char where[160];
    (void)snprintf(where, sizeof where, "%s.%s", j->layout->where, setting);
    tin_status status = tin_text_column(j->t, name, where, column, err);
    if (status != TIN_OK)
        return status;
    if (j->uses[*column].kind != SKIP)
        return tin_fail(err, TIN_ERR_CONFIG, "%s takes the column '%s', which another setting takes; use each once",
                        where, name);
    j->uses[*column] = use;
    if (*column + 1 > j->n_uses)
        j->n_uses = *column + 1;
    return TIN_OK;
}

static tin_status find_columns(text_job *j, bool missing, tin_error *err)
{
    const tin_sample_layout *l = j->layout;
    int slot[MAX_SENSORS] = {0};
    size_t column;
    tin_status status = TIN_OK;
    j->uses = tin_alloc(j->t->n_columns, sizeof *j->uses, err);
    if (j->uses == NULL)
        return TIN_ERR_MEMORY;
    for (int i = 0; i < l->n_columns && status == TIN_OK; i++) {
        const tin_sample_column *c = &l->columns[i];
        int track = missing ? c->sensor : 0;
        status = use_column(j, c->name, "channels",
                            (column_use){.kind = VALUE, .track = track, .slot = slot[track]++, .factor = c->factor},
                            &column, err);
    }
    if (status == TIN_OK && l->settings->time_column[0] != '\0')
        status = use_column(j, l->settings->time_column, "time_column", (column_use){.kind = TIME}, &j->time, err);
    if (status == TIN_OK && l->label_column[0] != '\0')
        status = use_column(j, l->label_column, "labels.column", (column_use){.kind = LABEL}, &j->label, err);
    if (status == TIN_OK && l->subject_column[0] != '\0')
        status = use_column(j, l->subject_column, "subject_column", (column_use){.kind = SUBJECT}, &j->subject, err);
    return status;
}

static tin_status run_blocks(text_job *j, text_block *blocks, size_t n, tin_pool *pool, tin_error *err)
{
    run_jobs(pool, n, block_job, blocks);
    return join_blocks(j, blocks, n, err);
}

static void free_block(text_block *b)
{
    tin_samples rest = {.labels = b->labels, .subjects = b->subjects, .cuts = b->cut_list.cuts};
    tin_samples_free(&rest);
    if (b->fields != NULL)
        tin_fields_free(b->fields);
    tin_free(b->fields);
}

static tin_status read_rows(text_job *j, tin_pool *pool, size_t block_bytes, tin_error *err)
{
    const bool missing = j->layout->settings->missing_count > 0;
    text_block *blocks = NULL;
    size_t n = 0;
    tin_status status = find_columns(j, missing, err);
    if (status == TIN_OK)
        status = make_blocks(j, block_bytes, pool, &blocks, &n, err);
    const size_t capacity = n > 0 ? blocks[n - 1].first_row + blocks[n - 1].capacity : 0;
    if (status == TIN_OK && capacity > UINT32_MAX)
        status = tin_fail_at(err, TIN_ERR_DATA, j->t->path, 0, "%zu rows; split the file into several", capacity);
    if (status == TIN_OK)
        status = make_arrays(j, capacity, missing, err);
    if (status == TIN_OK)
        status = run_blocks(j, blocks, n, pool, err);
    for (size_t i = 0; i < n; i++)
        free_block(&blocks[i]);
    tin_free(blocks);
    if (status == TIN_OK && j->s->n_rows == 0)
        status = tin_fail_at(err, TIN_ERR_DATA, j->t->path, 0,
                             j->t->names != NULL ? "the file names columns and has no rows; record again or remove it"
                                                 : "the file has no rows that can be read; record again or remove it");
    return status;
}

tin_status tin_samples_read_text(const tin_sample_layout *layout, const char *text, size_t size, const char *path,
                                 tin_pool *pool, size_t block_bytes, tin_samples *samples, tin_error *err)
{
    tin_text_table table;
    const tin_config_files *f = layout->settings;
    *samples = (tin_samples){.ticks_per_second = tin_clock_ticks(f->time_unit),
                             .rate_hz = f->rate_hz > 0 ? f->rate_hz : layout->rate_hz};
    text_job j = {.layout = layout,
                  .t = &table,
                  .iso8601 = strcmp(f->time_unit, "iso8601") == 0,
                  .plain_time = strcmp(f->time_unit, "iso8601") != 0 && f->time_missing[0] == '\0',
                  .split_back = strcmp(f->time_back, "split") == 0,
                  .has_comment = f->text.comment != NULL && f->text.comment[0] != '\0',
                  .ticks_per_second = samples->ticks_per_second,
                  .s = samples};
    tin_status status = tin_text_begin(&table, &f->text, text, size, path, err);
    if (status == TIN_OK)
        status = tin_samples_start(samples, layout, f->missing_count > 0, err);
    if (status == TIN_OK)
        status = read_rows(&j, pool, block_bytes, err);
    tin_free(j.uses);
    tin_text_close(&table);
    return status;
}
