/* Files of the host by semihosting, and the way out, for boards that define
 *   int32_t semihost(int32_t operation, const void *argument)  and  BUFFER, the bytes of each of two buffers. */
enum { SYS_OPEN = 0x01, SYS_WRITE = 0x05, SYS_READ = 0x06, SYS_EXIT_EXTENDED = 0x20 };

static uint8_t read_buffer[BUFFER], write_buffer[BUFFER];
static uint32_t read_at, read_size, write_size;
static int32_t read_handle, write_handle;

static void stop(uint32_t code)
{
    const uint32_t block[2] = {0x20026u, code};
    for (;;) {
        (void)semihost(SYS_EXIT_EXTENDED, block);
    }
}

/* Faults end here. */
void fault(void);
void fault(void)
{
    stop(101);
}

static int32_t open_file(const char *path, uint32_t mode)
{
    const uint32_t block[3] = {(uint32_t)path, mode, (uint32_t)strlen(path)};
    return semihost(SYS_OPEN, block);
}

static void open_files(void)
{
    read_handle = open_file(FRAMES_PATH, 1 /* rb */);
    write_handle = open_file(RESULTS_PATH, 5 /* wb */);
    if (read_handle < 0 || write_handle < 0) {
        stop(105);
    }
}

static void flush(void)
{
    const uint32_t block[3] = {(uint32_t)write_handle, (uint32_t)write_buffer, write_size};
    if (write_size > 0 && semihost(SYS_WRITE, block) != 0) {
        stop(102);
    }
    write_size = 0;
}

static void quit(uint32_t code)
{
    flush();
    stop(code);
}

static void put(const void *data, uint32_t n)
{
    if (write_size + n > sizeof write_buffer) {
        flush();
    }
    memcpy(write_buffer + write_size, data, n);
    write_size += n;
}

static void get(void *data, uint32_t n)
{
    uint8_t *to = data;
    while (n > 0) {
        if (read_at == read_size) {
            const uint32_t block[3] = {(uint32_t)read_handle, (uint32_t)read_buffer, sizeof read_buffer};
            read_size = sizeof read_buffer - (uint32_t)semihost(SYS_READ, block); /* gives what was not read */
            read_at = 0;
            if (read_size == 0) {
                quit(103);
            }
        }
        const uint32_t part = n < read_size - read_at ? n : read_size - read_at;
        memcpy(to, read_buffer + read_at, part);
        to += part;
        read_at += part;
        n -= part;
    }
}
