#include "evaluate/rule_front.h"

#include <string.h>

#include "base/memory.h"

static int64_t misses_of(const tin_sweep_point *point)
{
    return point->counts.missed + point->counts.wrong_class;
}

/* < 0: a is earlier. Both have a true positive. */
static int compare_latency(const tin_sweep_point *a, const tin_sweep_point *b)
{
    int64_t left = a->counts.latency_frames * b->counts.true_positives,
            right = b->counts.latency_frames * a->counts.true_positives;
    return (left > right) - (left < right);
}

tin_status tin_front_create(tin_front *front, const tin_class *classes, int n_classes, int64_t most, tin_error *err)
{
    *front = (tin_front){.classes = classes, .n_classes = n_classes, .most = most};
    front->lists = tin_alloc((size_t)most + 1, sizeof *front->lists, err);
    return front->lists != NULL ? TIN_OK : TIN_ERR_MEMORY;
}

void tin_front_free(tin_front *front)
{
    for (int64_t i = 0; front->lists != NULL && i <= front->most; i++) {
        tin_free(front->lists[i].rules);
    }
    tin_free(front->lists);
    *front = (tin_front){0};
}

/* Where a rule with so many misses stands or would be put. */
static size_t place_of(const tin_front_list *list, int64_t misses)
{
    size_t low = 0, high = list->n;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (misses_of(&list->rules[middle].point) < misses) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static tin_status make_room(tin_front_list *list, tin_error *err)
{
    if (list->n < list->capacity) {
        return TIN_OK;
    }
    size_t capacity = 2 * list->capacity + 4;
    tin_front_rule *grown = list->rules != NULL ? tin_grow(list->rules, list->capacity, capacity, sizeof *grown, err)
                                                : tin_alloc(capacity, sizeof *grown, err);
    if (grown == NULL) {
        return TIN_ERR_MEMORY;
    }
    list->rules = grown;
    list->capacity = capacity;
    return TIN_OK;
}

/* Puts the rule in at `place` and takes those out behind it that it beats. */
static tin_status put(tin_front_list *list, size_t place, const tin_front_rule *rule, tin_error *err)
{
    size_t behind = place;
    while (behind < list->n && compare_latency(&list->rules[behind].point, &rule->point) >= 0) {
        behind++;
    }
    if (behind == place) {
        tin_status status = make_room(list, err);
        if (status != TIN_OK) {
            return status;
        }
    }
    memmove(&list->rules[place + 1], &list->rules[behind], (list->n - behind) * sizeof *list->rules);
    list->n = list->n + 1 + place - behind;
    list->rules[place] = *rule;
    return TIN_OK;
}

/* Whether a rule of the list is at least as good in misses and latency. */
static bool beaten(const tin_front_list *list, size_t place, const tin_sweep_point *point)
{
    bool same_misses = place < list->n && misses_of(&list->rules[place].point) == misses_of(point);
    return (same_misses && compare_latency(&list->rules[place].point, point) <= 0) ||
           (place > 0 && compare_latency(&list->rules[place - 1].point, point) <= 0);
}

static bool does_the_same(const tin_sweep_point *a, const tin_sweep_point *b)
{
    return misses_of(a) == misses_of(b) && compare_latency(a, b) == 0;
}

tin_status tin_front_add(tin_front *front, const tin_sweep_family *family, const tin_sweep_point *point, tin_error *err)
{
    if (point->counts.false_positives > front->most || point->counts.true_positives == 0) {
        return TIN_OK;
    }
    tin_front_list *list = &front->lists[point->counts.false_positives];
    size_t place = place_of(list, misses_of(point));
    bool same = place < list->n && does_the_same(&list->rules[place].point, point);
    if (!same && beaten(list, place, point)) {
        return TIN_OK;
    }
    tin_front_rule rule = {tin_sweep_rule(family, front->classes, front->n_classes, point->on), *point};
    if (!same) {
        return put(list, place, &rule, err);
    }
    if (tin_rule_simpler(&rule.rule, &list->rules[place].rule, front->classes, front->n_classes) > 0) {
        list->rules[place] = rule;
    }
    return TIN_OK;
}

tin_status tin_front_join(tin_front *front, const tin_front *other, tin_error *err)
{
    tin_status status = TIN_OK;
    for (int64_t f = 0; f <= other->most; f++) {
        for (size_t i = 0; i < other->lists[f].n && status == TIN_OK; i++) {
            const tin_front_rule *r = &other->lists[f].rules[i];
            tin_sweep_family family = {r->rule, TIN_SWEEP_ALL};
            tin_sweep_point point = r->point;
            point.on = 0; /* the rule has its thresholds */
            status = tin_front_add(front, &family, &point, err);
        }
    }
    return status;
}

tin_status tin_front_rules(const tin_front *front, tin_front_rule **rules, size_t *n, tin_error *err)
{
    size_t most = 0;
    tin_front_list fewer = {0}; /* the front of fewer false positives, by misses and latency */
    for (int64_t f = 0; f <= front->most; f++) {
        most += front->lists[f].n;
    }
    *n = 0;
    *rules = tin_alloc(most, sizeof **rules, err);
    tin_status status = *rules != NULL ? TIN_OK : TIN_ERR_MEMORY;
    for (int64_t f = 0; f <= front->most; f++) {
        const tin_front_list *list = &front->lists[f];
        for (size_t i = 0; i < list->n && status == TIN_OK; i++) {
            size_t place = place_of(&fewer, misses_of(&list->rules[i].point));
            if (!beaten(&fewer, place, &list->rules[i].point)) {
                (*rules)[(*n)++] = list->rules[i];
                status = put(&fewer, place, &list->rules[i], err);
            }
        }
    }
    tin_free(fewer.rules);
    return status;
}
