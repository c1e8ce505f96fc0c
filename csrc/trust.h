/*
 * trust.h - which of the system's two stores of trusted roots is read. Sees curl.h in its .c only.
 */
#ifndef MEDIASTOP_TRUST_H
#define MEDIASTOP_TRUST_H

/* libcurl's defaults name a file, a folder of hashed names, or both, and it trusts what is in either. Of both only one is
 * taken, which can trust no more than they do together. */
enum trust {
    TRUST_DEFAULT,                  /* as libcurl has it */
    TRUST_FOLDER,                   /* only the folder: the one root that is needed is read */
    TRUST_FILE                      /* only the file: read once and kept by libcurl */
};

/* What is best on this system. */
enum trust trust_choose(void);

#endif
