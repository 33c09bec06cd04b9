/* checkpoint: the state of a run as one file that proves its own integrity. Knows of names and bytes, not of learners.
 */
#ifndef RH_CHECKPOINT_H
#define RH_CHECKPOINT_H

#include "base/base.h"

enum { RH_MAX_SECTION = 24, RH_SECTION_NAME = 32 };

/* Where the run stands. Kept apart from the sections because every reader wants it. */
typedef struct rh_counters {
    int64_t epoch;        /* complete epochs */
    int64_t position;     /* training samples already used of the next one */
    int64_t step;         /* updates so far */
    int64_t metric_bytes; /* length of metrics.jsonl */
    int64_t metric_lines;
    int64_t flags; /* RH_CHECKPOINT_ bits */
} rh_counters;
enum {
    RH_CHECKPOINT_GAUGE = 1, /* the gauge was on */
    RH_CHECKPOINT_GIVEN = 2, /* conductances came from outside */
};

/* Hashes of what decides the numbers, by parts, so that a message can say which differs. Contents, never paths. */
enum { RH_PART_SETTINGS, RH_PART_CIRCUIT, RH_PART_SAMPLES, RH_N_PART };
typedef struct rh_identity {
    uint64_t part[RH_N_PART];
    const char *settings; /* lent: the text behind the first hash, YAML with one setting per line */
} rh_identity;
#define RH_SETTINGS "settings" /* the section that keeps that text */

typedef struct rh_section {
    const char *name; /* at most RH_SECTION_NAME - 1 bytes */
    const void *data;
    size_t bytes;
} rh_section;

typedef struct rh_checkpoint {
    uint64_t part[RH_N_PART]; /* of what is being run: a checkpoint of another experiment is refused */
    uint64_t generation;      /* counts the checkpoints of a run from 1 */
    rh_counters at;
    int n_section;
    rh_section section[RH_MAX_SECTION]; /* after reading: lent from file */
    char *file;                         /* owned after reading */
} rh_checkpoint;

/* The file as bytes (rh_free). */
rheo_status rh_checkpoint_encode(const rh_checkpoint *c, char **bytes, size_t *n, rheo_error *err);
/* The bytes are untrusted. On success *out owns them; on failure they stay the caller's. RHEO_E_IO names what is wrong.
 */
rheo_status rh_checkpoint_decode(rh_checkpoint *out, char *bytes, size_t n, rheo_error *err);
void rh_checkpoint_free(rh_checkpoint *c);
const rh_section *rh_checkpoint_find(const rh_checkpoint *c, const char *name); /* NULL: absent */

/* Two files alternate in folder, a.ckpt for odd generations and b.ckpt for even ones, so that the one before is never
 * touched. */
rheo_status rh_checkpoint_write(const char *folder, const rh_checkpoint *c, rheo_error *err);
/* The newest good one of this experiment. A damaged or foreign file is passed over with a warning. *found is false, and
 * all is well, when no file is there; RHEO_E_IO when there are files and none is good. */
rheo_status rh_checkpoint_read(const char *folder, const rh_identity *of, rh_checkpoint *out, bool *found,
                               const rheo_log *log, rheo_error *err);
/* RH_CHECKPOINT_ bits of any good checkpoint, of whatever experiment; 0: there is none. */
int64_t rh_checkpoint_flags(const char *folder);
/* The first line in which two texts of settings differ: "learning.rate was 0.1 and is 0.2". old need not end with NUL.
 */
void rh_settings_difference(const char *old, size_t n_old, const char *now, char *out, size_t size);

/* FNV-1a, 64 bit: chain calls with the last result, begin with RH_HASH_START. */
#define RH_HASH_START UINT64_C(0xcbf29ce484222325)
uint64_t rh_hash(uint64_t hash, const void *data, size_t n);

#endif
