/* bench_import make FILE MB long|short: writes a CSV file of six signals, a time in ms and a label, numbers as two common loggers
 * write them: all digits of a float as a double (long), or six decimals (short).
 * bench_import read FILE THREADS ROUNDS: reads it as an import does, into numbers in memory, with times and labels, and prints
 * the MB/s of the fastest round, and a checksum of all numbers. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/progress.h"
#include "base/rng.h"
#include "data/samples.h"

static int make(const char *path, double megabytes, bool digits)
{
    FILE *file = fopen(path, "wb");
    static const char *const labels[4] = {"SEATED", "STANDING_UP", "WALKING", "TURNING"};
    double value[6] = {0, 0, 9.8, 0, 0, 0};
    tin_rng rng;
    tin_rng_seed(&rng, 1);
    if (file == NULL)
        return 1;
    long long time = 1657533977810;
    fputs("x_acc,y_acc,z_acc,x_gyro,y_gyro,z_gyro,timestamp,label\n", file);
    for (long row = 0; (double)ftell(file) < megabytes * 1e6; row++) {
        for (int c = 0; c < 6; c++) {
            value[c] += tin_rng_normal(&rng) * 0.1 - value[c] * 0.01;
            if (digits)
                fprintf(file, "%.*g,", 17, (double)(float)value[c]);
            else
                fprintf(file, "%.6f,", value[c]);
        }
        fprintf(file, "%lld,%s\n", time, labels[row / 200 % 4]);
        time += 9 + row % 3;
    }
    return fclose(file) != 0;
}

static int read_file(const char *path, int threads, int rounds)
{
    static char *const names[6] = {"x_acc", "y_acc", "z_acc", "x_gyro", "y_gyro", "z_gyro"};
    const tin_config_files settings = {.format = "auto",
                                       .text = {.separator = "auto", .header = true, .comment = "", .row_end = ""},
                                       .time_column = "timestamp",
                                       .time_unit = "ms",
                                       .time_missing = "",
                                       .time_back = "refuse"};
    tin_sample_column columns[6];
    for (int i = 0; i < 6; i++)
        columns[i] = (tin_sample_column){.name = names[i], .sensor = i / 3, .factor = 1};
    const tin_sample_layout layout = {.settings = &settings,
                                      .where = "bench",
                                      .columns = columns,
                                      .n_columns = 6,
                                      .rate_hz = 100,
                                      .label_column = "label",
                                      .subject_column = ""};
    tin_pool *pool = NULL;
    tin_error err = {0};
    double best = INFINITY, sum = 0;
    size_t rows = 0, labels = 0;
    if (tin_pool_create(&pool, threads, &err) != TIN_OK)
        return fprintf(stderr, "%s\n", tin_error_text(&err)), 1;
    for (int i = 0; i < rounds; i++) {
        tin_samples samples;
        double start = tin_now();
        if (tin_samples_read(&layout, path, pool, &samples, &err) != TIN_OK)
            return fprintf(stderr, "%s\n", tin_error_text(&err)), 1;
        best = fmin(best, tin_now() - start);
        sum = 0;
        rows = samples.n_rows;
        labels = samples.labels.n;
        for (size_t k = 0; k < 6 * rows; k++)
            sum += samples.tracks[0].values[k];
        tin_samples_free(&samples);
    }
    tin_pool_destroy(pool);
    FILE *file = fopen(path, "rb");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0)
        return 1;
    printf("%.1f MB/s %zu rows %zu labels sum %.9g\n", (double)ftell(file) / 1e6 / best, rows, labels, sum);
    return fclose(file) != 0;
}

int main(int argc, char **argv)
{
    if (argc == 5 && strcmp(argv[1], "make") == 0)
        return make(argv[2], atof(argv[3]), strcmp(argv[4], "long") == 0);
    if (argc == 5 && strcmp(argv[1], "read") == 0)
        return read_file(argv[2], atoi(argv[3]), atoi(argv[4]));
    return fprintf(stderr, "bench_import make FILE MB long|short | read FILE THREADS ROUNDS\n"), 2;
}
