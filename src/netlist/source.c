/* source.c: files. An .include or a table may read regular files below the root or one of the other folders, and
 * nothing else. */
#include "netlist/netlist.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static void free3(void *a, void *b, void *c) {
    rh_free(a);
    rh_free(b);
    rh_free(c);
}

int rh_source_add(rh_reader *rd, char *name, char *text, size_t size, char *real) {
    rh_source *s = rh_calloc(1, sizeof(*s));
    if (!s || !rh_grow(&rd->src, &rd->cap_src, rd->n_src + 1, sizeof(*rd->src)) ||
        !rh_grow(&rd->real, &rd->cap_real, rd->n_src + 1, sizeof(*rd->real))) {
        rh_free(s);
        free3(name, text, real);
        rh_no_memory(rd);
        return -1;
    }
    *s = (rh_source){ .name = name, .text = text, .size = size, .quotable = true };
    if (rh_builder_source(rd->b, s) < 0) {
        rh_free(real);
        rh_no_memory(rd);
        return -1;
    }
    rd->src[rd->n_src] = s;
    rd->real[rd->n_src] = real;
    rd->bytes += size;
    rd->n_read++;
    return rd->n_src++;
}

/* Read an open regular file of known size. */
static char *slurp(int fd, size_t size, size_t *got) {
    char *text = rh_calloc(size + 1, 1);
    *got = 0;
    while (text && *got < size) {
        const ssize_t n = read(fd, text + *got, size - *got);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) break;
        *got += (size_t)n;
    }
    return text;
}

static bool below(const char *root, const char *real) {
    const size_t n = strlen(root);
    return strncmp(root, real, n) == 0 && (real[n] == '/' || (n > 0 && root[n - 1] == '/'));
}

static bool may_read(const rh_reader *rd, const char *real) {
    bool yes = below(rd->root, real);
    for (int k = 0; k < rd->set.n_include_dir; k++) yes = yes || below(rd->dir[k], real);
    return yes;
}

static bool allowed(rh_reader *rd, rh_tok path, const char *real) {
    const rh_loc at = rh_tok_loc(rd, path);
    if (!may_read(rd, real))
        return rh_bad(
            rd, 603, at,
            "copy it below that folder, or name its own by --include-dir, or by include_dirs of the experiment",
            "'%s' is outside the folder of the main file", RH_SHOW(path));
    for (int k = 0; k < rd->n_stack; k++) {
        const char *open = rd->real[rd->stack[k]];
        if (!open || strcmp(open, real) != 0) continue;
        char chain[200] = "";
        size_t n = 0;
        for (int j = k; j < rd->n_stack && n < sizeof(chain); j++)
            n += (size_t)snprintf(chain + n, sizeof(chain) - n, "%s -> ", rd->src[rd->stack[j]]->name);
        return rh_bad(rd, 606, at, NULL, "files include each other: %s%s", chain, rd->src[rd->stack[k]]->name);
    }
    return true;
}

/* The last part of a real path is no link; O_NOFOLLOW holds if somebody swaps it now, O_NONBLOCK does not wait for a
 * FIFO. */
static int load(rh_reader *rd, rh_tok path, char *name, char *real) {
    const rh_loc at = rh_tok_loc(rd, path);
    struct stat st;
    size_t got = 0;
    char *text = NULL;
    const int fd = open(real, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0)
        rh_bad(rd, 401, at, NULL, "cannot read '%s': %s", RH_SHOW(path), strerror(errno));
    else if (!S_ISREG(st.st_mode))
        rh_bad(rd, 605, at, NULL, "'%s' is not a regular file", RH_SHOW(path));
    else if (st.st_size < 0 || (uint64_t)st.st_size > (uint64_t)(RH_NET_BYTES - rd->bytes))
        rh_bad_limit(rd, 505, at, NULL, "the files of this netlist are larger than %d MiB together",
                     RH_NET_BYTES >> 20);
    else if (!(text = slurp(fd, (size_t)st.st_size, &got)))
        rh_no_memory(rd);
    if (fd >= 0) close(fd);
    if (text) {
        const bool inside = below(rd->root, real);
        const int file = rh_source_add(rd, name, text, got, real);
        if (file >= 0 && !inside) rd->src[file]->quotable = false;
        return file;
    }
    rh_free(name);
    rh_free(real);
    return -1;
}

/* The file of that name in the first of the other folders that has one. */
static char *search(rh_reader *rd, const char *word, char **name) {
    for (int k = 0; k < rd->set.n_include_dir; k++) {
        char *const full = rh_path_join(rd->dir[k], word), *const real = full ? realpath(full, NULL) : NULL;
        rh_free(full);
        if (!real) continue;
        rh_free(*name);
        *name = rh_path_join(rd->set.include_dir[k], word);
        return real;
    }
    errno = ENOENT;
    return NULL;
}

/* Relative to the file that includes it, or else to one of the other folders; shown the same way. */
static int include_named(rh_reader *rd, rh_tok path, int from, const char *word) {
    const rh_loc at = rh_tok_loc(rd, path);
    const char *const base = rd->real[from] ? rd->real[from] : NULL;
    char *folder = base ? rh_path_folder(base) : rh_strdup(rd->root);
    char *shown = rh_path_folder(rd->src[from]->name);
    char *full = folder ? rh_path_join(folder, word) : NULL;
    char *name = shown ? (strcmp(shown, ".") == 0 ? rh_strdup(word) : rh_path_join(shown, word)) : NULL;
    char *real = full ? realpath(full, NULL) : NULL;
    if (!real && full && name && errno == ENOENT) real = search(rd, word, &name);
    const int why = errno;
    int file = -1;
    if (!folder || !full || !name || (!real && why == ENOMEM))
        rh_no_memory(rd);
    else if (!real)
        rh_bad(rd, 401, at, "the path is relative to the file that names it", "cannot read '%s': %s", RH_SHOW(path),
               strerror(why));
    else if (allowed(rd, path, real)) {
        file = load(rd, path, name, real);
        name = real = NULL;
    }
    free3(folder, shown, full);
    rh_free(name);
    rh_free(real);
    return file;
}

int rh_source_include(rh_reader *rd, rh_tok path, int from, const char *what) {
    const rh_loc at = rh_tok_loc(rd, path);
    if (path.n == 0 || memchr(path.s, '\0', (size_t)path.n)) {
        rh_bad(rd, 8, at, NULL, "%s needs the name of a file", what);
        return -1;
    }
    if (!rd->root) {
        rh_bad(rd, 607, at, NULL, "%s is refused: this text does not come from a file in a known folder", what);
        return -1;
    }
    if ((path.s[0] == '/' && rd->set.n_include_dir == 0) || path.s[0] == '~') {
        rh_bad(rd, 604, at,
               "write a path relative to this file, or name its folder by --include-dir, or by include_dirs of the "
               "experiment",
               "'%s' is an absolute path", RH_SHOW(path));
        return -1;
    }
    if (rd->n_stack > RH_NET_INCLUDE_DEPTH || rd->n_read >= RH_NET_FILES) {
        const bool deep = rd->n_stack > RH_NET_INCLUDE_DEPTH;
        rh_bad_limit(rd, 505, at, NULL, deep ? "more than %d .include inside one another" : "more than %d files",
                     deep ? RH_NET_INCLUDE_DEPTH : RH_NET_FILES);
        return -1;
    }
    char *word = rh_strndup(path.s, (size_t)path.n);
    const int file = word ? include_named(rd, path, from, word) : (rh_no_memory(rd), -1);
    rh_free(word);
    return file;
}
