// Renaming with flags, which Swift's modules of the C library lack.

#include "CFileSupport.h"
#include <errno.h>

#if defined(__linux__)
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

static int rename_with(const char *first, const char *second, unsigned flags) {
#ifdef SYS_renameat2
    return syscall(SYS_renameat2, AT_FDCWD, first, AT_FDCWD, second, flags) == 0 ? 0 : errno;
#else
    return ENOSYS;
#endif
}

enum { noreplace = 1, exchange = 2 };  // the kernel's numbers, which older headers lack
#elif defined(__APPLE__)
#include <stdio.h>
#include <sys/stdio.h>

static int rename_with(const char *first, const char *second, unsigned flags) {
    return renamex_np(first, second, flags) == 0 ? 0 : errno;
}

enum { noreplace = RENAME_EXCL, exchange = RENAME_SWAP };
#else
static int rename_with(const char *first, const char *second, unsigned flags) { return ENOSYS; }

enum { noreplace, exchange };
#endif

int recblr_exchange(const char *first, const char *second) { return rename_with(first, second, exchange); }

int recblr_rename_new(const char *source, const char *target) { return rename_with(source, target, noreplace); }
