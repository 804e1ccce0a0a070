/* The functions NAME_init and NAME_step: the layers in their order, each with the rows that it reads and gives. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "deploy/emit.h"

void tin_emit_statement(tin_emit *e, const char *format, ...)
{
    char line[1024];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    tin_text_printf(&e->source, "%*s%s\n", 4 * e->indent, "", line);
}

/* ---- where rows are ---- */

static const char *label_of(const tin_emit *e, int layer)
{
    return layer == TIN_FROM_INPUT ? "input" : e->layers[layer].label;
}

static const char *array_of(const tin_emit *e, int layer, char text[TIN_EXPRESSION])
{
    const tin_emit_row *row = &e->rows[layer - TIN_FROM_INPUT];
    switch (row->place) {
    case TIN_PLACE_HISTORY:
        (void)snprintf(text, TIN_EXPRESSION, "s->%s_rows", label_of(e, layer));
        break;
    case TIN_PLACE_STATE:
        (void)snprintf(text, TIN_EXPRESSION, "s->%s_h8", label_of(e, layer));
        break;
    case TIN_PLACE_HELD:
        (void)snprintf(text, TIN_EXPRESSION, "s->%s_row", label_of(e, layer));
        break;
    case TIN_PLACE_SCORES:
        (void)snprintf(text, TIN_EXPRESSION, "out->score");
        break;
    default:
        (void)snprintf(text, TIN_EXPRESSION, row->bits == 16 ? "s->scratch16" : "s->scratch");
        break;
    }
    return text;
}

/* The newest row of `layer` as seen by a layer of period `period` (0: the same), the columns of a joined row included. */
static const char *newest(tin_emit *e, int layer, int period, char text[TIN_EXPRESSION])
{
    char array[TIN_EXPRESSION], phase[128] = "";
    long offset = 0;
    while (tin_emit_row_of(e, layer)->place == TIN_PLACE_JOINED) {
        offset += tin_emit_row_of(e, layer)->column;
        layer = tin_emit_row_of(e, layer)->joined;
    }
    const tin_emit_row *row = tin_emit_row_of(e, layer);
    if (row->place == TIN_PLACE_SCRATCH) {
        offset += row->at;
    } else if (row->slack > 0) {
        offset += (row->rows - 1) * row->width;
        (void)snprintf(phase, sizeof phase, " + s->%s_first * %d", label_of(e, layer), row->width);
    } else if (row->place == TIN_PLACE_HISTORY && (row->step == 1 || period >= e->groups[row->group].period)) {
        offset += (row->rows - 1) * row->width;
    } else if (row->place == TIN_PLACE_HISTORY) { /* before the phase goes on */
        const long kept = row->rows - row->step;
        const int count = e->groups[row->group].period;
        if (kept >= 0) {
            (void)snprintf(phase, sizeof phase, " + s->phase_%d * %d", count, row->width);
            offset += kept * row->width;
        } else { /* rows to skip are written over the first one */
            (void)snprintf(phase, sizeof phase, " + (s->phase_%d > %ld ? (s->phase_%d - %ld) * %d : 0)", count, -kept,
                           count, -kept, row->width);
        }
    }
    if (offset > 0) {
        (void)snprintf(text, TIN_EXPRESSION, "%s + %ld%s", array_of(e, layer, array), offset, phase);
    } else {
        (void)snprintf(text, TIN_EXPRESSION, "%s%s", array_of(e, layer, array), phase);
    }
    return text;
}

const char *tin_emit_copy_name(const tin_emit *e, int layer, int k, const char *before, char text[TIN_EXPRESSION])
{
    (void)snprintf(text, TIN_EXPRESSION, "%s%s_copy_%d", before, e->layers[layer].label, k + 1);
    return text;
}

/* The oldest row that layer `layer` reads of its input k, where it was written. */
static const char *source_of(tin_emit *e, int layer, int k, char text[TIN_EXPRESSION])
{
    const tin_qlayer *l = &e->model->layers[layer];
    const tin_emit_row *row = tin_emit_row_of(e, l->from[k]);
    const bool takes = e->layers[layer].pooling != TIN_POOLING_ROWS;
    const long window = takes ? 1 : tin_emit_span(l), first = row->rows - window;
    if (row->place != TIN_PLACE_HISTORY || window == 1) {
        return newest(e, l->from[k], takes ? 0 : e->layers[layer].period, text);
    }
    array_of(e, l->from[k], text);
    const size_t used = strlen(text), left = TIN_EXPRESSION - used;
    if (row->slack > 0) {
        (void)snprintf(text + used, left, " + (s->%s_first + %ld) * %d", label_of(e, l->from[k]), first, row->width);
    } else if (first > 0) {
        (void)snprintf(text + used, left, " + %ld", first * row->width);
    }
    return text;
}

const char *tin_emit_input(tin_emit *e, int layer, int k, char text[TIN_EXPRESSION])
{
    return e->layers[layer].copied[k] ? tin_emit_copy_name(e, layer, k, "s->", text) : source_of(e, layer, k, text);
}

const char *tin_emit_output(tin_emit *e, int layer, char text[TIN_EXPRESSION])
{
    return newest(e, layer, layer == TIN_FROM_INPUT ? 1 : e->layers[layer].period, text);
}

int tin_emit_input_wide(tin_emit *e, int layer, int k)
{
    return tin_emit_row_of(e, e->model->layers[layer].from[k])->bits == 16;
}

int tin_emit_output_wide(tin_emit *e, int layer)
{
    return tin_emit_row_of(e, layer)->bits == 16;
}

/* ---- init ---- */

void tin_emit_init(tin_emit *e)
{
    tin_text_printf(&e->source, "void %s_init(%s_t *s)\n{\n", e->name, e->name);
    e->indent = 1;
    tin_emit_statement(e, "memset(s, 0, sizeof *s);");
    tin_emit_statement(e, "s->decision.active = -1;");
    if (e->uses.runs) {
        tin_emit_statement(e, "s->decision.candidate = -1;");
    }
    for (int i = 0; i < e->model->n_layers; i++) {
        const tin_emit_op *op = tin_emit_op_at(e, i);
        if (op->init != NULL) {
            op->init(e, i);
        }
    }
    tin_text_add(&e->source, "}\n\n");
}

/* ---- step ---- */

/* The rows of a history move on by `step` rows; where there is slack, its window moves, and the rows only at the end. */
static void move_rows(tin_emit *e, int layer)
{
    const tin_emit_row *row = tin_emit_row_of(e, layer);
    const long kept = row->rows - row->step, value = row->bits / 8;
    const char *label = label_of(e, layer);
    char array[TIN_EXPRESSION], move[TIN_NAME_MAX + 8];
    (void)snprintf(move, sizeof move,
                   row->bits == 16 && tin_emit_has_kernel(e, "move_words") && row->width % 2 == 0 ? "%s_move_words"
                   : tin_emit_has_kernel(e, "move")                                               ? "%s_move"
                                                                                                  : "memmove",
                   e->name);
    if (row->slack > 0) {
        array_of(e, layer, array);
        tin_emit_statement(e, "if (++s->%s_first > %ld) {", label, row->slack);
        tin_emit_statement(e, "    %s(%s, %s + %ld, %ld);", move, array, array, (row->slack + 1) * row->width,
                           kept * row->width * value);
        tin_emit_statement(e, "    s->%s_first = 0;", label);
        tin_emit_statement(e, "}");
        return;
    }
    if (kept > 0) {
        array_of(e, layer, array);
        tin_emit_statement(e, "%s(%s, %s + %d, %ld);", move, array, array, row->step * row->width,
                           kept * row->width * value);
    }
}

/* Histories that move before each row, in front of the first layer that writes into it (-1: the input). */
static void move_before(tin_emit *e, int place)
{
    for (int layer = TIN_FROM_INPUT; layer < e->model->n_layers; layer++) {
        const tin_emit_row *row = tin_emit_row_of(e, layer);
        if (row->place == TIN_PLACE_HISTORY && row->last_reader < 0 && row->begin == place) {
            move_rows(e, layer);
        }
    }
}

static void move_after(tin_emit *e, int place)
{
    for (int layer = TIN_FROM_INPUT; layer < e->model->n_layers; layer++) {
        const tin_emit_row *row = tin_emit_row_of(e, layer);
        if (row->place == TIN_PLACE_HISTORY && row->last_reader == place) {
            move_rows(e, layer);
        }
    }
}

static void input_row(tin_emit *e)
{
    const tin_qmodel *m = e->model;
    char text[TIN_EXPRESSION];
    tin_emit_statement(e, "%s_MARK(0);", e->upper);
    if (tin_emit_reads_input(e)) {
        tin_emit_output(e, TIN_FROM_INPUT, text);
        if (tin_emit_row_of(e, TIN_FROM_INPUT)->lanes) {
            tin_emit_statement(e, "%s_scale_lanes(frame, %s_input_unit, %d, %s);", e->name, e->name, m->n_channels,
                               text);
        } else {
            tin_emit_statement(e, "%s_scale_input(frame, %s_input_offset, %s_input_mult, %d, %d, %d, %s);", e->name,
                               e->name, e->name, m->input_shift, m->n_channels, m->input_bits == 16 ? -32767 : -127,
                               text);
        }
    }
    for (int i = 0; i < m->n_layers; i++) {
        if (tin_op_reads_counts(m->layers[i].op) && tin_emit_op_of(m->layers[i].op)->take != NULL) {
            tin_emit_statement(e, "%s_MARK(%d);", e->upper, i + 1);
            tin_emit_op_of(m->layers[i].op)->take(e, i);
        }
    }
}

/* Opens what belongs to a period of its own: returns from the step, or skips a block, when it is not due. */
static void begin_group(tin_emit *e, const tin_emit_group *g)
{
    if (g->ratio > 1 && g->ends_step) {
        tin_emit_statement(e, "if (++s->phase_%d < %d) {", g->period, g->ratio);
        tin_emit_statement(e, "    return 0;");
        tin_emit_statement(e, "}");
    } else if (g->ratio > 1) {
        tin_emit_statement(e, "if (++s->phase_%d == %d) {", g->period, g->ratio);
        e->indent++;
    }
    if (g->ratio > 1) {
        tin_emit_statement(e, "s->phase_%d = 0;", g->period);
    }
}

static void end_group(tin_emit *e, const tin_emit_group *g)
{
    if (g->ratio > 1 && !g->ends_step) {
        e->indent--;
        tin_emit_statement(e, "}");
    }
}

static void decide(tin_emit *e)
{
    const int last = e->model->n_layers - 1;
    tin_emit_statement(e, "%s_MARK(%d);", e->upper, last + 2);
    if (tin_emit_row_of(e, last)->place == TIN_PLACE_HELD) { /* `out` is left alone until now */
        tin_emit_statement(e, "memcpy(out->score, s->%s_row, sizeof out->score);", label_of(e, last));
    }
    tin_emit_statement(e, "out->trigger = (int16_t)%s_decide(&s->decision, out->score, &out->class_index);", e->name);
    tin_emit_statement(e, "out->active = (int16_t)s->decision.active;");
    tin_emit_statement(e, "return 1;");
}

/* Keeps what a layer reads of an input for later frames. */
static void copy(tin_emit *e, const tin_emit_run *run)
{
    char name[TIN_EXPRESSION], source[TIN_EXPRESSION];
    tin_emit_copy_name(e, run->layer, run->first, "s->", name);
    tin_emit_statement(e, "memcpy(%s, %s, sizeof %s);", name, source_of(e, run->layer, run->first, source), name);
}

static void run_entry(tin_emit *e, int at)
{
    const tin_emit_run *run = &e->order[at];
    const tin_emit_op *op = tin_emit_op_at(e, run->layer);
    move_before(e, at);
    tin_emit_statement(e, "%s_MARK(%d);", e->upper, run->layer + 1);
    if (run->act == TIN_ACT_COPY) {
        copy(e, run);
    } else if (run->act == TIN_ACT_TAKE) {
        op->take(e, run->layer);
    } else if (run->n > 0) {
        op->part(e, run);
    } else {
        op->call(e, run->layer);
    }
    move_after(e, at);
}

/* Every layer as soon as it can. */
static void earliest(tin_emit *e)
{
    int group = -1;
    for (int at = 0; at < e->n_order; at++) {
        if (e->order[at].group != group) {
            if (group >= 0) {
                end_group(e, &e->groups[group]);
            }
            group = e->order[at].group;
            begin_group(e, &e->groups[group]);
        }
        run_entry(e, at);
    }
    decide(e); /* the last group, of period hop, always ends the step */
}

/* What the layers of group `group` do `offset` frames behind the one that completes their input; false: nothing. */
static bool frame_of_group(tin_emit *e, int group, int offset, bool only_look)
{
    bool any = false;
    for (int at = 0; at < e->n_order; at++) {
        if (e->order[at].group == group && e->order[at].offset == offset) {
            any = true;
            if (!only_look) {
                run_entry(e, at);
            }
        }
    }
    return any;
}

/* The frames of a group's period in a switch. Its phase is 0 to period - 1 before the first row has come, in which nothing
 * is due, then period to 2 * period - 1 again and again. */
static void spread_group(tin_emit *e, int group)
{
    const tin_emit_group *g = &e->groups[group];
    const int period = g->period;
    tin_emit_statement(e, "if (++s->phase_%d == %d) {", period, 2 * period);
    tin_emit_statement(e, "    s->phase_%d = %d;", period, period);
    tin_emit_statement(e, "}");
    tin_emit_statement(e, "switch (s->phase_%d) {", period);
    for (int offset = 0; offset < period; offset++) {
        const bool last = group == e->n_groups - 1 && offset == e->latency;
        if (!frame_of_group(e, group, offset, true)) {
            continue;
        }
        tin_emit_statement(e, "case %d:", period + offset);
        e->indent++;
        (void)frame_of_group(e, group, offset, false);
        if (last) {
            decide(e);
        } else {
            tin_emit_statement(e, "break;");
        }
        e->indent--;
    }
    tin_emit_statement(e, "default:");
    tin_emit_statement(e, "    break;");
    tin_emit_statement(e, "}");
}

static void spread(tin_emit *e)
{
    for (int group = 0; group < e->n_groups; group++) {
        if (e->groups[group].period > 1) {
            spread_group(e, group);
        } else {
            (void)frame_of_group(e, group, 0, false);
        }
    }
    tin_emit_statement(e, "return 0;");
}

void tin_emit_step(tin_emit *e)
{
    tin_text_printf(&e->source, "int32_t %s_step(%s_t *s, const int16_t frame[%s_CHANNELS], %s_result_t *out)\n{\n",
                    e->name, e->name, e->upper, e->name);
    e->indent = 1;
    move_before(e, -1);
    input_row(e);
    if (e->spread) {
        spread(e);
    } else {
        earliest(e);
    }
    tin_text_add(&e->source, "}\n");
}
