/*
 * trust.c - which of the system's two stores of trusted roots is read.
 *
 * Where both are named, as on Debian, libcurl parses the whole file for every new connection, since the folder turns off
 * its cache of what it has read: 15 ms of CPU each.
 */
#define _POSIX_C_SOURCE 200809L
#include "trust.h"

#include <curl/curl.h>
#include <dirent.h>
#include <stdbool.h>
#include <string.h>

#if LIBCURL_VERSION_NUM >= 0x074600     /* which tells where its stores are */

/* Whether the folder has a certificate under the name by which OpenSSL looks for it: "5ad8a5d6.0". */
static bool is_hashed(const char *path)
{
    bool found = false;
    DIR *folder = opendir(path);
    if (!folder)
        return false;
    for (struct dirent *entry; !found && (entry = readdir(folder)) != NULL;)
        found = strspn(entry->d_name, "0123456789abcdef") == 8 && strcmp(entry->d_name + 8, ".0") == 0;
    closedir(folder);
    return found;
}

enum trust trust_choose(void)
{
    const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);
    bool names_stores = info->age >= CURLVERSION_SEVENTH;
    bool is_openssl = info->ssl_version && strncmp(info->ssl_version, "OpenSSL/", 8) == 0;
    if (names_stores && is_openssl && info->capath && info->cainfo)
        return is_hashed(info->capath) ? TRUST_FOLDER : TRUST_FILE;
    return TRUST_DEFAULT;
}

#else

enum trust trust_choose(void)
{
    return TRUST_DEFAULT;
}

#endif
