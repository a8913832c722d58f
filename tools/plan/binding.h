/* Values that go into a script: each a shell variable with a form, which is checked before the value is written.
 *
 * A plan's script consists of fixed text and of bindings. Evidence reaches it through a binding or not at all, and a
 * value that does not have its form stops the script from being written.
 */
#ifndef RCF_PLAN_BINDING_H
#define RCF_PLAN_BINDING_H

#include <stdbool.h>

enum binding_form {
    FORM_ID,       /* 40 hexadecimal digits */
    FORM_IDS,      /* several of them, a blank between them */
    FORM_ADDRESS,  /* an IP address, or a host name of RFC 1123 */
    FORM_PORT,     /* 1 to 65535 */
    FORM_ENDPOINT, /* address:port */
    FORM_MEMBERS,  /* "address,port address,port ..." */
    FORM_SLOTS,    /* "0-5460 10923": slots and ranges, ascending */
    FORM_COUNT,    /* decimal digits */
    FORM_KEYSPACE, /* "db0:keys=12", as INFO writes it: lines */
    FORM_FILE,     /* one plain file name */
    FORM_FILES,    /* plain file names, a blank between them */
    FORM_FOLDER,   /* an absolute path */
    FORM_SHA256,   /* 64 hexadecimal digits */
    FORM_WORD,     /* lower-case letters, digits and hyphens */
    FORM_PICTURE,  /* lines of an id and its slots */
    FORM_RESCUE,   /* "slot,address,port,id,hexadecimal digits", a blank between two */
    FORM_SAID,     /* printed only: letters, digits, blanks and marks, but nothing that ends or escapes single quotes */
    BINDING_FORMS
};

struct binding {
    const char *name; /* of the shell variable */
    enum binding_form form;
    const char *value;
    bool optional; /* may be empty or NULL */
};

/* The value has its form. */
bool binding_fits(const struct binding *binding);

/* What a value of the form is, for messages: "an IP address or a host name", ... */
const char *binding_form_text(enum binding_form form);

#endif
