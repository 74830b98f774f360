/* names.c - which statements a handler means. */
#include "model/model.h"

#include <string.h>

bool crdi_names_match(const char *patterns, const char *name)
{
    char pattern[256];
    if (!patterns)
        return true;
    for (const char *start = patterns; *start;) {
        size_t length = strcspn(start, ",");
        if (length < sizeof pattern) {
            memcpy(pattern, start, length);
            pattern[length] = 0;
            if (crdi_match(pattern, name))
                return true;
        }
        start += length + (start[length] == ',');
    }
    return false;
}
