/* Public data sets from a server on loopback, which cuts connections, changes its file, lies, and hands out hostile archives. */
#include "data_test.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "archive_server.h"
#include "base/hash.h"
#include "data/fetch.h"
#include "data/unpack.h"

#define FOLDER TEST_TEMPORARY "/sets"

static packed good, other;
static char good_hash[TIN_HASH_HEX];
static char long_text[60000];

static int make_archives(void **state)
{
    (void)state;
    static packed inner;
    unsigned long long x = 1;
    for (size_t i = 0; i + 1 < sizeof long_text; i++) { /* text that does not pack */
        x = x * 6364136223846793005ull + 1442695040888963407ull;
        long_text[i] = (char)(' ' + (x >> 33) % 90);
    }
    const item in_inner[] = {{.name = "set/deep/b.txt", .text = "inner"}, {.name = "__MACOSX/._b", .text = "litter"}};
    pack(&inner, true, in_inner, 2);
    const item in_good[] = {{.name = "readme.txt", .text = "read me"},
                            {.name = "set.zip", .inner = &inner},
                            {.name = ".DS_Store", .text = "litter"},
                            {.name = "long/a.txt", .text = long_text},
                            {.name = "empty/"}};
    pack(&good, true, in_good, 5);
    const item in_other[] = {{.name = "top/sub/c.txt", .text = "other"}, {.name = "top/long.txt", .text = long_text}};
    pack(&other, false, in_other, 2);
    return tin_hash_bytes(good.bytes, good.size, good_hash, NULL) == TIN_OK ? 0 : -1;
}

static void clear(void)
{
    assert_int_equal(tin_folder_remove(FOLDER, NULL), TIN_OK);
}

static bool holds(const char *name, const char *text)
{
    char path[TIN_PATH_MAX], *bytes = NULL;
    size_t size = 0;
    (void)snprintf(path, sizeof path, FOLDER "/%s", name);
    bool same =
        tin_file_read(path, &bytes, &size, NULL) == TIN_OK && size == strlen(text) && memcmp(bytes, text, size) == 0;
    tin_free(bytes);
    return same;
}

static bool is_good(void)
{
    return holds("toy/readme.txt", "read me") && holds("toy/set/deep/b.txt", "inner") &&
           holds("toy/long/a.txt", long_text) && !tin_file_exists(FOLDER "/toy/set.zip") &&
           !tin_file_exists(FOLDER "/toy/.DS_Store") && !tin_file_exists(FOLDER "/toy/__MACOSX") &&
           tin_file_exists(FOLDER "/toy/empty") && !tin_file_exists(FOLDER "/toy.part") &&
           !tin_file_exists(FOLDER "/toy.part.origin") && !tin_file_exists(FOLDER "/toy.unpacking");
}

/* path: below the server's address. */
static tin_status fetch(const archive_server *s, const char *path, const char *sha256, uint64_t bytes, bool force,
                        tin_fetched *fetched, tin_error *err)
{
    char url[128];
    (void)snprintf(url, sizeof url, "%s%s", s->url, path);
    const tin_public_data set = {.name = "toy",
                                 .title = "a toy",
                                 .url = url,
                                 .bytes = bytes,
                                 .sha256 = sha256,
                                 .licence = "none",
                                 .source = "nobody"};
    const tin_fetch f = {.set = &set, .folder = FOLDER, .force = force, .quiet = true};
    return tin_fetch_data(&f, fetched, err);
}

static void fetches(const archive_server *s, const char *path, const char *sha256, tin_fetched *fetched)
{
    tin_error err = {0};
    if (fetch(s, path, sha256, 0, true, fetched, &err) != TIN_OK)
        fail_msg("%s", tin_error_text(&err));
}

static void fails(const archive_server *s, const char *path, const char *sha256, uint64_t bytes, tin_status expected,
                  const char *words)
{
    tin_fetched fetched;
    tin_error err = {0};
    tin_status status = fetch(s, path, sha256, bytes, true, &fetched, &err);
    if (status != expected || strstr(err.message, words) == NULL)
        fail_msg("%s: status %d, '%s' instead of '%s'", path, status, err.message, words);
    assert_false(tin_file_exists(FOLDER "/toy.unpacking"));
}

static void whole_way(void **state)
{
    (void)state;
    archive_server s = {.body = &good, .version = "\"1\""};
    tin_fetched fetched;
    clear();
    start_server(&s);
    fetches(&s, "/a.zip", NULL, &fetched);
    assert_true(is_good());
    assert_true(fetched.first_time && !fetched.was_there);
    assert_string_equal(fetched.sha256, good_hash);
    assert_string_equal(fetched.path, FOLDER "/toy");
    /* there: nothing is asked of the server */
    assert_int_equal(fetch(&s, "/a.zip", NULL, 0, false, &fetched, NULL), TIN_OK);
    assert_true(fetched.was_there);
    assert_string_equal(fetched.path, FOLDER "/toy");
    assert_int_equal(s.n_requests, 1);
    /* again: compared with the first time */
    fetches(&s, "/a.zip", NULL, &fetched);
    assert_false(fetched.first_time);
    fetches(&s, "/a.zip", good_hash, &fetched);
    /* a tar file, whose one folder becomes the set's */
    s.body = &other;
    assert_int_equal(unlink(FOLDER "/toy.sha256"), 0);
    fetches(&s, "/b.tar.gz", NULL, &fetched);
    assert_true(holds("toy/sub/c.txt", "other"));
    assert_false(tin_file_exists(FOLDER "/toy/readme.txt"));
    assert_string_equal(fetched.path, FOLDER "/toy");
    stop_server(&s);
}

static void cut_connections(void **state)
{
    (void)state;
    archive_server s = {.body = &good, .version = "\"1\"", .cut_after = good.size / 4 + 1};
    tin_fetched fetched;
    clear();
    start_server(&s);
    fetches(&s, "/a.zip", good_hash, &fetched);
    assert_true(is_good());
    assert_int_equal(s.n_requests, 4);
    assert_int_equal(s.from_byte, 3 * (good.size / 4 + 1));
    /* a server that cannot go on: the whole again, whenever it comes */
    s.ignores_range = true;
    s.n_requests = 0;
    clear();
    fails(&s, "/a.zip", good_hash, 0, TIN_ERR_IO, "no whole answer");
    assert_in_range(s.n_requests, 5, 7);
    s.cut_after = 0;
    fetches(&s, "/a.zip", good_hash, &fetched);
    assert_true(is_good());
    stop_server(&s);
}

static void next_run_goes_on(void **state)
{
    (void)state;
    archive_server s = {.body = &good, .version = "\"1\"", .ignores_range = true, .cut_after = 1000};
    tin_fetched fetched;
    clear();
    start_server(&s);
    fails(&s, "/a.zip", NULL, 0, TIN_ERR_IO, "no whole answer");
    struct stat info;
    assert_int_equal(stat(FOLDER "/toy.part", &info), 0);
    assert_int_equal(info.st_size, 1000);
    s.cut_after = 0;
    s.ignores_range = false;
    fetches(&s, "/a.zip", NULL, &fetched);
    assert_int_equal(s.from_byte, 1000);
    assert_true(is_good());
    /* another file by now */
    s.cut_after = 1000;
    s.ignores_range = true;
    fails(&s, "/a.zip", NULL, 0, TIN_ERR_IO, "no whole answer");
    s.cut_after = 0;
    s.ignores_range = false;
    s.body = &other;
    s.version = "\"2\"";
    assert_int_equal(unlink(FOLDER "/toy.sha256"), 0);
    fetches(&s, "/a.zip", NULL, &fetched);
    assert_int_equal(s.from_byte, 1000);
    assert_true(holds("toy/sub/c.txt", "other"));
    /* another address: not the same file */
    s.cut_after = 1000;
    s.ignores_range = true;
    fails(&s, "/a.zip", NULL, 0, TIN_ERR_IO, "no whole answer");
    s.cut_after = 0;
    s.ignores_range = false;
    fetches(&s, "/mirror.zip", NULL, &fetched);
    assert_int_equal(s.from_byte, 0);
    /* the whole was there, but nobody had looked at it */
    assert_int_equal(tin_file_write(FOLDER "/toy.part", other.bytes, other.size, NULL), TIN_OK);
    char origin[128];
    (void)snprintf(origin, sizeof origin, "%s/a.zip\n\"2\"\n", s.url);
    assert_int_equal(tin_file_write(FOLDER "/toy.part.origin", origin, strlen(origin), NULL), TIN_OK);
    fetches(&s, "/a.zip", NULL, &fetched);
    assert_true(holds("toy/sub/c.txt", "other"));
    stop_server(&s);
}

static void checksums(void **state)
{
    (void)state;
    archive_server s = {.body = &good, .version = "\"1\""};
    tin_fetched fetched;
    clear();
    start_server(&s);
    fetches(&s, "/a.zip", NULL, &fetched);
    s.body = &other; /* the publisher's file is another one now: what is there stays */
    s.version = "\"2\"";
    fails(&s, "/a.zip", NULL, 0, TIN_ERR_DATA, "at the first download it was");
    assert_true(is_good());
    fails(&s, "/a.zip", good_hash, 0, TIN_ERR_DATA, "damaged or changed");
    assert_true(is_good());
    fails(&s, "/a.zip", good_hash, good.size, TIN_ERR_DATA, "bytes instead of");
    stop_server(&s);
}

static void servers_say_no(void **state)
{
    (void)state;
    archive_server s = {.body = &good};
    tin_fetched fetched;
    clear();
    start_server(&s);
    fails(&s, "/none.zip", NULL, 0, TIN_ERR_IO, "the server says 404 (not found)");
    fails(&s, "/r", NULL, 0, TIN_ERR_IO, "redirects");
    s.redirect = "file:///etc/passwd";
    fails(&s, "/r", NULL, 0, TIN_ERR_IO, "no whole answer");
    s.redirect = "/a.zip";
    fetches(&s, "/r", NULL, &fetched);
    assert_true(is_good());
    stop_server(&s);
    fails(&s, "/a.zip", NULL, 0, TIN_ERR_IO, "no whole answer"); /* nobody there */
    assert_true(is_good());
    const tin_public_data *set;
    tin_error err = {0};
    assert_int_equal(tin_public_data_find("hapt", &set, NULL), TIN_OK);
    assert_string_equal(set->name, "hapt");
    assert_int_equal(tin_public_data_find("happt", &set, &err), TIN_ERR_USAGE);
    assert_non_null(strstr(err.message, "give one of: hapt spsw"));
}

static void hostile_archives(void **state)
{
    (void)state;
    static const item evil[] = {
        {.name = "../evil.txt", .text = "x"},      {.name = "/tmp/evil.txt", .text = "x"},
        {.name = "a/../../evil.txt", .text = "x"}, {.name = "a/..", .text = "x"},
        {.name = "a\\..\\evil.txt", .text = "x"},  {.name = "a//b", .text = "x"},
        {.name = "link", .symlink = "/etc"},       {.name = "hard", .text = "", .hardlink = "fine.txt"},
    };
    static packed p, outer;
    archive_server s = {.body = &p};
    start_server(&s);
    for (size_t i = 0; i < sizeof evil / sizeof *evil; i++)
        for (int zip = 0; zip < 2; zip++) {
            const item items[] = {{.name = "fine.txt", .text = "fine"}, evil[i]};
            if (zip == 1 && evil[i].hardlink != NULL)
                continue; /* zip has none */
            clear();
            pack(&p, zip == 1, items, 2);
            s.body = &p;
            fails(&s, "/a.zip", NULL, 0, TIN_ERR_DATA, "the archive is refused");
            assert_false(tin_file_exists(FOLDER "/toy"));
            assert_false(tin_file_exists(FOLDER "/evil.txt"));
            assert_false(tin_file_exists(FOLDER "/toy.part"));
            assert_false(tin_file_exists(FOLDER "/toy.sha256"));
            assert_false(tin_file_exists("/tmp/evil.txt"));
            /* within another archive it is the same */
            const item wrapped[] = {{.name = zip == 1 ? "in.zip" : "in.tar.gz", .inner = &p}};
            pack(&outer, true, wrapped, 1);
            s.body = &outer;
            fails(&s, "/a.zip", NULL, 0, TIN_ERR_DATA, "the archive is refused");
            assert_false(tin_file_exists(FOLDER "/toy"));
        }
    memset(p.bytes, 'x', p.size = 5000);
    s.body = &p;
    fails(&s, "/a.zip", NULL, 0, TIN_ERR_DATA, "cut or damaged");
    stop_server(&s);
}

/* A cut archive is an error; of a tar file's end there may be missing what says that it ends. */
static void every_length(void **state)
{
    (void)state;
    static packed p;
    const item items[] = {{.name = "a.txt", .text = "some text, some text"}, {.name = "b/c.txt", .text = "more"}};
    for (int zip = 0; zip < 2; zip++) {
        pack(&p, zip == 1, items, 2);
        for (size_t length = 0; length < p.size; length++) {
            tin_error err = {0};
            clear();
            assert_int_equal(tin_folder_make(FOLDER, NULL), TIN_OK);
            assert_int_equal(tin_file_write(TEST_TEMPORARY "/cut", p.bytes, length, NULL), TIN_OK);
            tin_status status = tin_unpack(TEST_TEMPORARY "/cut", FOLDER "/toy", NULL, NULL, &err);
            bool whole = holds("toy/a.txt", items[0].text) && holds("toy/b/c.txt", items[1].text);
            if (status == TIN_OK ? zip == 1 || !whole : status != TIN_ERR_DATA || err.message[0] == '\0')
                fail_msg("cut to %zu of %zu: status %d, '%s'", length, p.size, status, err.message);
        }
    }
}

static void full_disk(void **state)
{
    (void)state;
    archive_server s = {.body = &good};
    struct rlimit before, small;
    clear();
    start_server(&s);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = 20000;
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    fails(&s, "/a.zip", NULL, 0, TIN_ERR_IO, "free space on that disk");
    assert_int_equal(s.n_requests, 1); /* not tried again and again */
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_false(tin_file_exists(FOLDER "/toy"));
    stop_server(&s);
}

static void every_allocation(void **state)
{
    (void)state;
    archive_server s = {.body = &good, .version = "\"1\""};
    size_t n = 0;
    start_server(&s);
    for (size_t i = 0; i <= n; i++) {
        tin_fetched fetched;
        tin_error err = {0};
        clear();
        (void)tin_memory_fail_at(i);
        tin_status status = fetch(&s, "/a.zip", good_hash, 0, true, &fetched, &err);
        size_t made = tin_memory_fail_at(0);
        n = i == 0 ? made : n;
        if (status != (i == 0 ? TIN_OK : TIN_ERR_MEMORY) || err.status != status)
            fail_msg("allocation %zu of %zu: status %d, '%s'", i, n, status, err.message);
        assert_true(i == 0 ? is_good() : !tin_file_exists(FOLDER "/toy"));
    }
    assert_in_range(n, 5, 500);
    stop_server(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_way),    cmocka_unit_test(cut_connections), cmocka_unit_test(next_run_goes_on),
        cmocka_unit_test(checksums),    cmocka_unit_test(servers_say_no),  cmocka_unit_test(hostile_archives),
        cmocka_unit_test(every_length), cmocka_unit_test(full_disk),       cmocka_unit_test(every_allocation),
    };
    return cmocka_run_group_tests(tests, make_archives, NULL);
}
