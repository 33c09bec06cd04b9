/* sandbox.c: resource limits, no_new_privs, Landlock where the kernel has it, and a list of allowed system calls. */
#include "ngworker/sandbox.h"

#include <errno.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef __has_feature
#define __has_feature(x) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
static const rlim_t MEMORY = RLIM_INFINITY; /* the shadow of a sanitizer is larger than any bound */
#else
static const rlim_t MEMORY = (rlim_t)8 << 30;
#endif

enum { CPU_SECONDS = 4 * 3600, FILES = 24 };
static bool limit(int what, rlim_t most) {
    struct rlimit r;
    if (getrlimit((__rlimit_resource_t)what, &r) != 0) return false;
    if (r.rlim_max < most) most = r.rlim_max;
    return setrlimit((__rlimit_resource_t)what, &(struct rlimit){ most, most }) == 0;
}

bool rh_sandbox_limits(rh_ng_info *info) {
    const bool ok = limit(RLIMIT_CPU, CPU_SECONDS) && limit(RLIMIT_FSIZE, 0) && limit(RLIMIT_CORE, 0) &&
                    limit(RLIMIT_NPROC, 0) && limit(RLIMIT_NOFILE, FILES) && limit(RLIMIT_AS, MEMORY);
    if (ok) info->layers |= RH_NG_LIMITS;
    return ok;
}

/* A rule set without rules: every kind of access that this kernel knows is refused, everywhere. */
static void landlock(rh_ng_info *info) {
#ifdef SYS_landlock_create_ruleset
    const long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (abi < 1) return;
    const int n_right = abi == 1 ? 13 : abi == 2 ? 14 : abi < 5 ? 15 : 16;
    const struct landlock_ruleset_attr attr = { .handled_access_fs = ((uint64_t)1 << n_right) - 1 };
    const long fd = syscall(SYS_landlock_create_ruleset, &attr, sizeof attr, 0);
    if (fd < 0) return;
    if (syscall(SYS_landlock_restrict_self, fd, 0) == 0) {
        info->layers |= RH_NG_LANDLOCK;
        info->landlock_abi = (uint32_t)abi;
    }
    close((int)fd);
#else
    (void)info;
#endif
}

/* All that arithmetic and answering need. Memory may be mapped, but not made executable. */
static bool allow_calls(scmp_filter_ctx ctx) {
    static const int CALLS[] = { SCMP_SYS(read),          SCMP_SYS(write),        SCMP_SYS(brk),
                                 SCMP_SYS(munmap),        SCMP_SYS(mremap),       SCMP_SYS(madvise),
                                 SCMP_SYS(futex),         SCMP_SYS(exit),         SCMP_SYS(exit_group),
                                 SCMP_SYS(rt_sigreturn),  SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask),
                                 SCMP_SYS(clock_gettime), SCMP_SYS(gettimeofday), SCMP_SYS(time),
                                 SCMP_SYS(times),         SCMP_SYS(getrusage),    SCMP_SYS(fstat),
                                 SCMP_SYS(newfstatat),    SCMP_SYS(lseek),        SCMP_SYS(getpid),
                                 SCMP_SYS(getrandom),     SCMP_SYS(sysinfo),      SCMP_SYS(readv),
                                 SCMP_SYS(writev),        SCMP_SYS(getppid) };
    for (size_t i = 0; i < sizeof CALLS / sizeof CALLS[0]; i++)
        if (seccomp_rule_add(ctx, SCMP_ACT_ALLOW, CALLS[i], 0) != 0) return false;
    const struct scmp_arg_cmp data = SCMP_A2(SCMP_CMP_MASKED_EQ, 4 /* PROT_EXEC */, 0);
    return seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1, data) == 0 &&
           seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1, data) == 0;
}

/* Everything else fails with EACCES, as it does for a user without rights: ngspice then reports instead of dying. */
static bool seccomp(void) {
    const scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(EACCES));
    if (!ctx) return false;
    const bool ok = allow_calls(ctx) && seccomp_load(ctx) == 0;
    seccomp_release(ctx);
    return ok;
}

bool rh_sandbox_seal(rh_ng_info *info) {
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return false;
    info->layers |= RH_NG_NO_PRIVS;
    landlock(info);
    if (!seccomp()) return false;
    info->layers |= RH_NG_SECCOMP;
    return true;
}
