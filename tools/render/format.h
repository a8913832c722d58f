/* The formats that commands write. A command offers some of them; their names are the words of --format. */
#ifndef RCF_FORMAT_H
#define RCF_FORMAT_H

enum format {
    FORMAT_TEXT,  /* for people: aligned, humane numbers */
    FORMAT_CSV,   /* RFC 4180 with a header row */
    FORMAT_JSON,  /* one document */
    FORMAT_JSONL, /* one record a line */
    FORMAT_DOT,   /* a graph for Graphviz */
    FORMAT_SH,    /* a shell script */
    FORMAT_COUNT
};

/* A set of formats: FORMAT_BIT(FORMAT_TEXT) | FORMAT_BIT(FORMAT_DOT). */
#define FORMAT_BIT(format) (1u << (format))
#define FORMAT_TABLES \
    (FORMAT_BIT(FORMAT_TEXT) | FORMAT_BIT(FORMAT_CSV) | FORMAT_BIT(FORMAT_JSON) | FORMAT_BIT(FORMAT_JSONL))

#endif
