/* room.h - which of the system's errors say that there is no room to write. */
#ifndef CRDI_ROOM_H
#define CRDI_ROOM_H

/* What would help where a write failed with this errno: a full disk, a quota, a limit of the shell (ulimit -f). NULL: it is none of
 * these. Static storage. */
const char *crdi_lack_of_room(int error);

#endif
