/* room.c - see room.h. */
#include "store/room.h"

#include <errno.h>
#include <stddef.h>

const char *crdi_lack_of_room(int error)
{
    return error == EFBIG    ? "a limit on the size of files is in force (ulimit -f)"
           : error == EDQUOT ? "a quota of disk space is used up"
           : error == ENOSPC ? "make room on its file system"
                             : NULL;
}
