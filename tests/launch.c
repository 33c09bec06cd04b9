#include "launch.h"
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAX_ARG = 32 };

const char *launch_folder(void) {
    static char path[PATH_MAX];
    const ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
    assert_true(n > 0);
    path[n] = '\0';
    *strrchr(path, '/') = '\0';
    return path;
}

const char *launch_program(void) {
    static char path[PATH_MAX + 16];
    const char *const given = getenv("RHEO");
    if (given) return given;
    snprintf(path, sizeof path, "%s/../rheo", launch_folder());
    return path;
}

static void child(const char *const *argv, const char *const *env, int in, int out, int err) {
    const char *all[MAX_ARG + 2] = { launch_program() };
    for (int i = 0; argv[i] && i < MAX_ARG; i++) all[i + 1] = argv[i];
    for (; env && *env; env++) putenv((char *)(uintptr_t)*env);
    signal(SIGINT, SIG_DFL); /* a test in the background inherits its being ignored */
    signal(SIGPIPE, SIG_DFL);
    dup2(in, 0);
    dup2(out, 1);
    dup2(err, 2);
    execv(all[0], (char *const *)(uintptr_t)all);
    _exit(127);
}

static int temporary(void) {
    char name[] = "/tmp/rheo_launch_XXXXXX";
    const int fd = mkostemp(name, O_CLOEXEC);
    assert_true(fd >= 0);
    unlink(name);
    return fd;
}

static char *whole(int fd, size_t *n) {
    const off_t size = lseek(fd, 0, SEEK_END);
    assert_true(size >= 0);
    char *const text = calloc((size_t)size + 1, 1);
    assert_non_null(text);
    assert_true(pread(fd, text, (size_t)size, 0) == size);
    close(fd);
    *n = (size_t)size;
    return text;
}

void launch(launched *r, const char *const *argv, const char *const *env, const char *in) {
    const int fin = temporary(), fout = temporary(), ferr = temporary();
    if (in) assert_true(write(fin, in, strlen(in)) == (ssize_t)strlen(in));
    lseek(fin, 0, SEEK_SET);
    fflush(NULL);
    const pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) child(argv, env, fin, fout, ferr);
    int status;
    while (waitpid(pid, &status, 0) < 0) assert_int_equal(errno, EINTR);
    size_t n;
    *r = (launched){ .exit = WIFEXITED(status) ? WEXITSTATUS(status) : -1,
                     .signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0 };
    r->out = whole(fout, &r->n_out);
    r->err = whole(ferr, &n);
    close(fin);
}

void launch_free(launched *r) {
    free(r->out);
    free(r->err);
    *r = (launched){ 0 };
}

void launch_with(launched *r, ...) {
    const char *argv[MAX_ARG + 1] = { 0 };
    va_list ap;
    va_start(ap, r);
    for (int i = 0; i < MAX_ARG && (argv[i] = va_arg(ap, const char *)); i++) {}
    va_end(ap);
    launch(r, argv, NULL, NULL);
}

pid_t launch_start(const char *const *argv) {
    fflush(NULL);
    const pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        const int nowhere = open("/dev/null", O_RDWR);
        child(argv, NULL, nowhere, nowhere, nowhere);
    }
    return pid;
}

static int code_of(int status) { return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status); }

int launch_wait(pid_t pid) {
    int status;
    while (waitpid(pid, &status, 0) < 0) assert_int_equal(errno, EINTR);
    return code_of(status);
}

bool launch_ended(pid_t pid, int *code) {
    int status;
    const pid_t got = waitpid(pid, &status, WNOHANG);
    assert_true(got >= 0);
    if (got == pid) *code = code_of(status);
    return got == pid;
}

/* ---- folders ---- */

char *scratch_create(void) {
    char *const path = strdup("/tmp/rheo_test_XXXXXX");
    assert_non_null(mkdtemp(path));
    return path;
}

static int remove_one(const char *path, const struct stat *s, int type, struct FTW *ftw) {
    (void)s;
    (void)type;
    (void)ftw;
    return remove(path);
}

void scratch_remove(char *folder) {
    assert_true(strncmp(folder, "/tmp/rheo_test_", 15) == 0);
    nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    free(folder);
}

static void join(char *path, const char *folder, const char *name) {
    assert_true(snprintf(path, PATH_MAX, "%s/%s", folder, name) < PATH_MAX);
}

void scratch_write(const char *folder, const char *name, const char *text) {
    char path[PATH_MAX];
    join(path, folder, name);
    FILE *const f = fopen(path, "wb");
    assert_non_null(f);
    fputs(text, f);
    assert_int_equal(fclose(f), 0);
}

char *scratch_read(const char *folder, const char *name, size_t *n) {
    char path[PATH_MAX];
    join(path, folder, name);
    const int fd = open(path, O_RDONLY);
    return fd < 0 ? NULL : whole(fd, n);
}
