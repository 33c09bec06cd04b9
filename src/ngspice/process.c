/* process.c: starting, asking and ending a worker. */
#include "ngspice/process.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef RHEO_LIBEXECDIR
#define RHEO_LIBEXECDIR "/usr/local/libexec/rheo"
#endif

static const double START_SECONDS = 60;
enum { ROOM = 1 << 12 }; /* of answers, at the start */

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- patience ---- */

/* How long a worker may take. Seconds are those of the clock as long as it gets a processor, and of its processor time
 * where others keep it busy; one that does nothing is not waited for. */
typedef struct limit {
    double begin, used, seconds;
} limit;
static const double STARVED = 20; /* times the seconds: the longest that any wait takes */
static const double AWAKE = 0.01; /* share of a processor that a worker gets which is at work */

static double processor_time(const rh_worker *w) {
    clockid_t clock;
    struct timespec t;
    if (clock_getcpuclockid(w->pid, &clock) != 0 || clock_gettime(clock, &t) != 0) return 0;
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static limit wait_for(const rh_worker *w, double seconds) {
    return (limit){ .begin = now(), .used = processor_time(w), .seconds = seconds };
}

/* Seconds until it is worth to look again; 0: too late. */
static double left(const rh_worker *w, const limit *l) {
    const double waited = now() - l->begin;
    if (waited < l->seconds) return l->seconds - waited;
    const double used = processor_time(w) - l->used;
    const bool late = used >= l->seconds || used < AWAKE * waited || waited >= STARVED * l->seconds;
    return late ? 0 : fmax(l->seconds - used, 1e-3);
}

/* ---- talking ---- */

/* Wait until the socket is ready, but not past the end of the time. */
static rh_said ready(const rh_worker *w, short events, const limit *l) {
    for (;;) {
        const double seconds = left(w, l);
        if (!(seconds > 0)) return RH_SAID_LATE;
        struct pollfd p = { .fd = w->fd, .events = events };
        const int k = poll(&p, 1, seconds > 1e6 ? 1000000000 : (int)(seconds * 1e3) + 1);
        if (k > 0) return RH_SAID_OK;
        if (k < 0 && errno != EINTR) return RH_SAID_DIED;
    }
}

/* Take n bytes off the front of two parts; returns the first part that has any left. */
static struct iovec *take(struct iovec part[2], size_t n) {
    for (int i = 0; i < 2; i++) {
        const size_t step = n < part[i].iov_len ? n : part[i].iov_len;
        part[i].iov_base = (char *)part[i].iov_base + step;
        part[i].iov_len -= step;
        n -= step;
    }
    return part[0].iov_len ? &part[0] : &part[1];
}

static rh_said put(const rh_worker *w, struct iovec part[2], const limit *l) {
    for (struct iovec *p = part; p->iov_len > 0;) {
        const struct msghdr m = { .msg_iov = p, .msg_iovlen = p == part ? 2 : 1 };
        const ssize_t k = sendmsg(w->fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (k > 0) {
            p = take(part, (size_t)k);
        } else if (k < 0 && (errno == EAGAIN || errno == EINTR)) {
            const rh_said said = ready(w, POLLOUT, l);
            if (said != RH_SAID_OK) return said;
        } else {
            return RH_SAID_DIED;
        }
    }
    return RH_SAID_OK;
}

/* Fill the first part, and of the second what there is; *n bytes in all. */
static rh_said get(const rh_worker *w, struct iovec part[2], size_t *n, const limit *l) {
    for (*n = 0; part[0].iov_len > 0;) {
        const rh_said said = ready(w, POLLIN, l);
        if (said != RH_SAID_OK) return said;
        struct msghdr m = { .msg_iov = part, .msg_iovlen = 2 };
        const ssize_t k = recvmsg(w->fd, &m, MSG_DONTWAIT);
        if (k < 0 && (errno == EAGAIN || errno == EINTR)) continue;
        if (k <= 0) return RH_SAID_DIED;
        take(part, (size_t)k);
        *n += (size_t)k;
    }
    return RH_SAID_OK;
}

static bool make_room(rh_worker *w, size_t n) {
    if (n <= w->cap) return true;
    char *const grown = rh_realloc(w->text, n, 1);
    if (!grown) return false;
    w->text = grown;
    w->cap = n;
    return true;
}

/* Head and data arrive together, as a rule. */
static rh_said get_answer(rh_worker *w, const limit *l) {
    rh_ng_head head;
    size_t have, more;
    struct iovec part[2] = { { &head, sizeof head }, { w->text, w->cap } };
    rh_said said = get(w, part, &have, l);
    if (said != RH_SAID_OK) return said;
    have -= sizeof head;
    if (head.magic != RH_NG_MAGIC || head.what > RH_NG_FAILED || head.bytes > RH_NG_MAX_BYTES || have > head.bytes)
        return RH_SAID_DIED;
    w->n = (size_t)head.bytes;
    if (!make_room(w, w->n + 1)) return RH_SAID_NOMEM;
    part[0] = (struct iovec){ w->text + have, w->n - have };
    part[1] = (struct iovec){ 0 };
    said = get(w, part, &more, l);
    if (said != RH_SAID_OK) return said;
    w->text[w->n] = '\0';
    return head.what == RH_NG_OK ? RH_SAID_OK : RH_SAID_NO;
}

rh_said rh_worker_call(rh_worker *w, uint32_t what, const void *data, size_t n, double seconds) {
    if (!w->pid) return RH_SAID_DIED;
    const limit l = wait_for(w, seconds);
    rh_ng_head head = { RH_NG_MAGIC, what, n };
    struct iovec part[2] = { { &head, sizeof head }, { (void *)data, n } };
    rh_said said = make_room(w, ROOM) ? put(w, part, &l) : RH_SAID_NOMEM;
    if (said == RH_SAID_OK) said = get_answer(w, &l);
    if (said != RH_SAID_OK) rh_worker_stop(w);
    if (said != RH_SAID_DIED) w->signal = 0; /* it was alive, and ended from here */
    return said;
}

rh_said rh_worker_ask(rh_worker *w, uint32_t what, const void *data, size_t n, double seconds) {
    if (!w->pid) return RH_SAID_DIED;
    rh_ng_head head = { RH_NG_MAGIC, what, n };
    struct iovec part[2] = { { &head, sizeof head }, { (void *)data, n } };
    const limit l = wait_for(w, seconds);
    const rh_said said = put(w, part, &l);
    if (said != RH_SAID_OK) rh_worker_stop(w);
    return said;
}

/* One answer of many: not a byte of the next one is read. */
static rh_said hear(rh_worker *w, bool *more, const limit *l) {
    rh_ng_head head;
    size_t n;
    struct iovec part[2] = { { &head, sizeof head }, { 0 } };
    rh_said said = get(w, part, &n, l);
    if (said != RH_SAID_OK) return said;
    if (head.magic != RH_NG_MAGIC || head.what > RH_NG_MORE || head.bytes > RH_NG_MAX_BYTES) return RH_SAID_DIED;
    w->n = (size_t)head.bytes;
    if (!make_room(w, w->n + 1)) return RH_SAID_NOMEM;
    part[0] = (struct iovec){ w->text, w->n };
    said = get(w, part, &n, l);
    if (said != RH_SAID_OK) return said;
    w->text[w->n] = '\0';
    *more = head.what == RH_NG_MORE;
    return head.what == RH_NG_FAILED ? RH_SAID_NO : RH_SAID_OK;
}

rh_said rh_worker_hear(rh_worker *w, bool *more, double seconds) {
    if (!w->pid) return RH_SAID_DIED;
    const limit l = wait_for(w, seconds);
    const rh_said said = hear(w, more, &l);
    if (said != RH_SAID_OK) rh_worker_stop(w);
    return said;
}

void rh_worker_stop(rh_worker *w) {
    if (!w->pid) return;
    int status = 0;
    close(w->fd);
    kill(w->pid, SIGKILL);
    while (waitpid(w->pid, &status, 0) < 0 && errno == EINTR) continue;
    w->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    w->pid = 0;
}

void rh_worker_free(rh_worker *w) {
    rh_worker_stop(w);
    rh_free(w->text);
    *w = (rh_worker){ 0 };
}

/* ---- starting ---- */

/* A folder of its own for the start, with the start-up files of ngspice in it, empty, so that it looks for no others.
 */
static const char *const EMPTY[] = { ".spiceinit", "spinit" };

static void remove_folder(const char *folder) {
    char path[64];
    for (int i = 0; i < RH_COUNT(EMPTY); i++) {
        snprintf(path, sizeof path, "%s/%s", folder, EMPTY[i]);
        unlink(path);
    }
    rmdir(folder);
}

static bool make_folder(char folder[32]) {
    snprintf(folder, 32, "/tmp/rheo-worker-XXXXXX");
    if (!mkdtemp(folder)) return false;
    for (int i = 0; i < RH_COUNT(EMPTY); i++) {
        char path[64];
        snprintf(path, sizeof path, "%s/%s", folder, EMPTY[i]);
        const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (fd >= 0) {
            close(fd);
            continue;
        }
        remove_folder(folder);
        return false;
    }
    return true;
}

/* In a process group of its own: an interrupt from the keyboard is for rheo, which finishes its step. */
static int spawn(pid_t *pid, const char *path, const char *folder, int fd) {
    char *const argv[] = { (char *)path, NULL }, *const env[] = { "LC_ALL=C", NULL };
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attr;
    sigset_t all, none;
    sigfillset(&all);
    sigemptyset(&none);
    int e = posix_spawn_file_actions_init(&files);
    if (e) return e;
    e = posix_spawnattr_init(&attr);
    if (e == 0) {
        posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
        posix_spawnattr_setsigdefault(&attr, &all);
        posix_spawnattr_setsigmask(&attr, &none);
        e = posix_spawn_file_actions_adddup2(&files, fd, 0);
        if (e == 0) e = posix_spawn_file_actions_adddup2(&files, fd, 1);
        if (e == 0) e = posix_spawn_file_actions_addopen(&files, 2, "/dev/null", O_WRONLY, 0);
        if (e == 0) e = posix_spawn_file_actions_addchdir_np(&files, folder);
        if (e == 0) e = posix_spawn(pid, path, &files, &attr, argv, env);
        posix_spawnattr_destroy(&attr);
    }
    posix_spawn_file_actions_destroy(&files);
    return e;
}

/* The worker that belongs to the running program: beside it, or in ../libexec/rheo; else where this was to be
 * installed.
 */
static void own_worker(char *path, size_t size) {
    static const char *const PLACES[] = { "", "../libexec/rheo/" };
    char self[PATH_MAX];
    const ssize_t n = readlink("/proc/self/exe", self, sizeof self);
    size_t folder = n > 0 && n < (ssize_t)sizeof self ? (size_t)n : 0;
    while (folder > 0 && self[folder - 1] != '/') folder--;
    for (int i = 0; folder && i < RH_COUNT(PLACES); i++) {
        const int k = snprintf(path, size, "%.*s%srheo-ngworker", (int)folder, self, PLACES[i]);
        if (k > 0 && (size_t)k < size && access(path, X_OK) == 0) return;
    }
    snprintf(path, size, "%s", RHEO_LIBEXECDIR "/rheo-ngworker");
}

static rheo_status not_there(const char *path, const char *why, rheo_error *err) {
    const rheo_status st =
        rh_fail(err, RHEO_E_IO, 420, RH_NOWHERE, "ngspice is not available: '%.200s': %s", path, why);
    rh_hint(err,
            "it needs the program rheo-ngworker, which `make` builds unless NGSPICE=0, beside rheo or in libexec/rheo");
    return st;
}

static rheo_status greet(rh_worker *w, const char *path, rheo_error *err) {
    const rh_said said = rh_worker_call(w, RH_NG_INFO, NULL, 0, START_SECONDS);
    if (said == RH_SAID_NOMEM) return RH_NOMEM(err);
    if (said == RH_SAID_OK && w->n >= sizeof w->info) {
        memcpy(&w->info, w->text, sizeof w->info);
        snprintf(w->version, sizeof w->version, "%s", w->text + sizeof w->info);
        const uint32_t needed = RH_NG_LIMITS | RH_NG_NO_PRIVS | RH_NG_SECCOMP;
        if ((w->info.layers & needed) == needed) return RHEO_OK;
    }
    rh_worker_stop(w);
    const rheo_status st =
        rh_fail(err, RHEO_E_IO, 421, RH_NOWHERE, "'%.200s' does not start, or could not be confined", path);
    rh_hint(err, "the kernel must allow seccomp filters; rheo never runs ngspice without");
    return st;
}

static rheo_status start_in(rh_worker *w, const char *real, const char *folder, rheo_error *err) {
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
        return rh_fail(err, RHEO_E_IO, 421, RH_NOWHERE, "no socket for rheo-ngworker");
    const int e = spawn(&w->pid, real, folder, pair[1]);
    close(pair[1]);
    w->fd = pair[0];
    if (e == 0) return greet(w, real, err);
    w->pid = 0;
    close(pair[0]);
    char text[128];
    return not_there(real, strerror_r(e, text, sizeof text), err);
}

rheo_status rh_worker_start(rh_worker *w, const char *path, rheo_error *err) {
    char own[PATH_MAX + 64], real[PATH_MAX], folder[32], text[128];
    if (!path) own_worker(own, sizeof own);
    if (!path) path = own;
    if (!realpath(path, real) || access(real, X_OK) != 0)
        return not_there(path, strerror_r(errno, text, sizeof text), err);
    if (!make_folder(folder))
        return rh_fail(err, RHEO_E_IO, 421, RH_NOWHERE, "no folder for rheo-ngworker: '%s': %s", folder,
                       strerror_r(errno, text, sizeof text));
    const rheo_status st = start_in(w, real, folder, err);
    remove_folder(folder); /* it has answered, or is gone: nothing looks there any more */
    return st;
}
