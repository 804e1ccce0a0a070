/* What the import saw of the sources' clocks, as the dataset's lineage keeps it: rates, jitter, repeated times, gaps. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "inspect/check_parts.h"

#define RATE_RATIO 1.1    /* between a recording's rate and the median of all */
#define RATE_MISSING 0.95 /* of the project's rate; a source below this lacks its highest frequencies */
#define JITTER_NOTE 0.2   /* share of the period */
#define JITTER_WARNING 0.5
#define REPEATED_SHARE 0.01 /* of the samples */
#define FEWEST_REPEATED 10
#define GAPS_PER_MINUTE 1.0
#define FEWEST_GAPS 3
#define MOST_SINGLE 8 /* recordings with a finding each, where more than half of all have it */

/* A recording that was split at gaps or between roles is several streams, which follow one another and share its lineage. */
typedef struct recording {
    size_t first; /* stream */
    int64_t frames;
} recording;

/* "id-2" goes on with "id" when it comes from the same file. */
static bool goes_on(const tin_stream *first, const tin_stream *s)
{
    size_t n = strlen(first->id);
    const tin_lineage *a = &first->lineage, *b = &s->lineage;
    return strncmp(first->id, s->id, n) == 0 && s->id[n] == '-' &&
           s->id[n + 1 + strspn(s->id + n + 1, "0123456789")] == '\0' && strcmp(first->origin, s->origin) == 0 &&
           strcmp(first->subject, s->subject) == 0 && a->n_gaps == b->n_gaps && a->n_notes == b->n_notes &&
           a->n_duplicates == b->n_duplicates && a->rate_hz == b->rate_hz && a->jitter_s == b->jitter_s;
}

/* recordings[n_streams]; returns how many there are. */
static size_t find_recordings(const tin_dataset *d, recording *recordings)
{
    size_t n = 0;
    for (size_t i = 0; i < d->n_streams; i++) {
        if (n == 0 || !goes_on(&d->streams[recordings[n - 1].first], &d->streams[i])) {
            recordings[n++] = (recording){.first = i};
        }
        recordings[n - 1].frames += d->streams[i].n_frames;
    }
    return n;
}

/* A fact about one recording: severity, value and limit go into the finding. False: nothing is wrong. */
typedef bool judge(const tin_dataset *d, const recording *r, double median, tin_finding *f, char text[256]);

static bool judge_rate(const tin_dataset *d, const recording *r, double median, tin_finding *f, char text[256])
{
    f->value = d->streams[r->first].lineage.rate_hz;
    if (f->value > median * RATE_RATIO || f->value * RATE_RATIO < median) {
        f->limit = median;
        f->rank = fabs(log(f->value / median));
        snprintf(text, 256, "recorded at %.4g Hz, the median recording at %.4g Hz", f->value, median);
        return true;
    }
    f->limit = d->rate_hz;
    f->rank = d->rate_hz / f->value;
    snprintf(text, 256,
             "recorded at %.4g Hz, below data.rate_hz (%.4g Hz), so that it lacks the frequencies above %.4g Hz that a "
             "device will see",
             f->value, d->rate_hz, f->value / 2);
    return f->value < d->rate_hz * RATE_MISSING;
}

static bool judge_jitter(const tin_dataset *d, const recording *r, double median, tin_finding *f, char text[256])
{
    (void)median;
    const tin_lineage *l = &d->streams[r->first].lineage;
    f->value = f->rank = l->jitter_s * l->rate_hz;
    f->severity = f->value > JITTER_WARNING ? TIN_WARNING : TIN_NOTE;
    f->limit = f->value > JITTER_WARNING ? JITTER_WARNING : JITTER_NOTE;
    snprintf(text, 256, "the time between samples deviates by %.3g ms, %.0f %% of the period", 1000 * l->jitter_s,
             100 * f->value);
    return f->value > JITTER_NOTE;
}

static bool judge_repeated(const tin_dataset *d, const recording *r, double median, tin_finding *f, char text[256])
{
    (void)median;
    const tin_lineage *l = &d->streams[r->first].lineage;
    f->value = f->rank = (double)l->n_duplicates / (tin_seconds(d, r->frames) * l->rate_hz + (double)l->n_duplicates);
    f->limit = REPEATED_SHARE;
    snprintf(text, 256, "%lld samples have the time of another and were averaged, %.3g %% of all",
             (long long)l->n_duplicates, 100 * f->value);
    return l->n_duplicates >= FEWEST_REPEATED && f->value > REPEATED_SHARE;
}

static bool judge_gaps(const tin_dataset *d, const recording *r, double median, tin_finding *f, char text[256])
{
    (void)median;
    const int64_t gaps = d->streams[r->first].lineage.n_gaps;
    const double seconds = tin_seconds(d, r->frames);
    f->value = f->rank = (double)gaps * 60 / seconds;
    f->limit = GAPS_PER_MINUTE;
    snprintf(text, 256, "%lld gaps in %.0f s; the recording was split at each, and nothing is learned across them",
             (long long)gaps, seconds);
    return gaps >= FEWEST_GAPS && f->value > GAPS_PER_MINUTE;
}

/* A finding for each recording that is unlike it should be; one for all of them where most are. */
static tin_status check_all(tin_checking *c, tin_check check, judge *wrong, const recording *recordings, size_t n,
                            double median, tin_error *err)
{
    tin_finding worst = tin_finding_of(check, TIN_NOTE);
    char text[256], worst_text[256] = "";
    size_t found = 0;
    tin_status status = TIN_OK;
    for (int pass = 0; pass < 2 && !status; pass++) {
        const bool many = found > MOST_SINGLE && found > n / 2;
        for (size_t i = 0; i < n && !many && !status; i++) {
            tin_finding f = tin_finding_of(check, TIN_WARNING);
            f.stream = (int64_t)recordings[i].first;
            if (!wrong(c->dataset, &recordings[i], median, &f, text)) {
                continue;
            }
            if (pass == 1) {
                status = tin_findings_add(c->findings, f, err, "%s", text);
            } else if (found++ == 0 || f.rank > worst.rank) {
                worst = f;
                snprintf(worst_text, sizeof worst_text, "%s", text);
            }
        }
        if (many) {
            status = tin_findings_add(c->findings, worst, err, "%s; it is so in %zu of %zu recordings, most here",
                                      worst_text, found, n);
        }
    }
    return status;
}

/* The notes of the import, which printed some of them. */
static tin_status list_notes(tin_checking *c, const recording *r, tin_error *err)
{
    const tin_lineage *l = &c->dataset->streams[r->first].lineage;
    tin_status status = TIN_OK;
    for (size_t i = 0; i < l->n_notes && !status; i++) {
        tin_finding f = tin_finding_of(TIN_CHECK_IMPORT, TIN_NOTE);
        f.stream = (int64_t)r->first;
        f.rank = -(double)i;
        status = tin_findings_add(c->findings, f, err, "%s", l->notes[i]);
    }
    return status;
}

tin_status tin_check_sources(tin_checking *c, tin_error *err)
{
    static const struct {
        tin_check check;
        judge *judge;
    } kinds[] = {{TIN_CHECK_RATE, judge_rate},
                 {TIN_CHECK_JITTER, judge_jitter},
                 {TIN_CHECK_REPEATED_TIME, judge_repeated},
                 {TIN_CHECK_GAPS, judge_gaps}};
    const tin_dataset *d = c->dataset;
    recording *recordings = tin_alloc(d->n_streams, sizeof *recordings, err);
    double *rates = tin_alloc(d->n_streams, sizeof *rates, err);
    tin_status status = recordings && rates ? TIN_OK : TIN_ERR_MEMORY;
    size_t n = status ? 0 : find_recordings(d, recordings);
    size_t n_timed = 0;
    for (size_t i = 0; i < n && !status; i++) {
        status = list_notes(c, &recordings[i], err);
        double rate = d->streams[recordings[i].first].lineage.rate_hz;
        if (rate > 0) { /* 0: no clock is known */
            rates[n_timed] = rate;
            recordings[n_timed++] = recordings[i];
        }
    }
    double median = n_timed > 0 ? tin_median(rates, n_timed) : 0;
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds && !status; k++) {
        status = check_all(c, kinds[k].check, kinds[k].judge, recordings, n_timed, median, err);
    }
    tin_free(recordings);
    tin_free(rates);
    return status;
}
