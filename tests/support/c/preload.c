/*
 * A library for LD_PRELOAD: it says into which program it was loaded. Made with NEW_GLIBC it wants
 * a function that only a new glibc has.
 */
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

__attribute__((constructor)) static void loaded(void)
{
    char name[16] = "", copy[16];
    prctl(PR_GET_NAME, name);
#ifdef NEW_GLIBC
    strlcpy(copy, name, sizeof copy);
#else
    strncpy(copy, name, sizeof copy);
#endif
    printf("preloaded into %s\n", copy);
}
