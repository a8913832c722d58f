/* Bytes of evidence made safe for where they are shown.
 *
 * The printable form has one rule: a character of valid UTF-8 that can be seen stands for itself, a backslash is
 * doubled, and every other byte is \xNN with lowercase digits. Not seen are: C0 and C1 controls and DEL, line and
 * paragraph separators, bidirectional and other format controls, blanks other than U+0020, characters that Unicode
 * calls default ignorable (zero width, fillers, variation selectors, tags), private use and noncharacters; nor is any
 * byte of invalid UTF-8 (overlong forms, surrogates, above U+10FFFF). The form is one line, no terminal interprets it,
 * and it can be undone, so different bytes never have the same form.
 */
#ifndef RCF_ESCAPE_H
#define RCF_ESCAPE_H

#include <stdbool.h>

#include "tools/render/out.h"

/* A NUL-terminated string as a run of bytes; an empty run for NULL. */
struct bytes escape_string(const char *string);

/* How many bytes at the start are ASCII characters that can be seen, or blanks, and none of three special ones (one may
 * stand three times): what every form lets through as it is. Sixteen bytes at a time. */
size_t escape_plain(struct bytes bytes, const char special[3]);

/* The bytes are valid UTF-8 (RFC 3629). */
bool escape_is_utf8(struct bytes bytes);

/* The printable form. */
void escape_printable(struct out *out, struct bytes bytes);

/* The printable form with blanks as \x20 too, for words in a list that blanks separate. */
void escape_word(struct out *out, struct bytes bytes);

/* The printable form except that a backslash stays single: safe on a terminal, and a text that holds printable forms
 * already is not changed. For whole messages. */
void escape_terminal(struct out *out, struct bytes bytes);

/* The printable form of the first 8 bytes of an id, by which it is known to people. NULL gives nothing. */
void escape_short_id(struct out *out, const char *id);

/* The printable form, cut at a character or \xNN boundary and ended by "..." when it would be wider than `columns`
 * (of 3 or more; 0 cuts nothing). */
void escape_cut(struct out *out, struct bytes bytes, size_t columns);

/* The columns that a text of printable characters takes on a terminal: 2 for wide East Asian characters and emoji, 0
 * for combining marks. Known by a table, not by the locale. */
size_t escape_width(struct bytes text);

/* One CSV cell of RFC 4180, quoted only when it has to be (also around blanks at its ends, which some readers trim, and
 * when it is empty, so that an empty text differs from an absent one). A cell that a spreadsheet would take for a
 * formula, because it starts with = + - @ TAB CR or LF, gets an apostrophe in front; so does one that starts with
 * apostrophes and then one of these, so that the text can be had back. The bytes should be printable. */
void escape_csv(struct out *out, struct bytes bytes);

/* A JSON string with its quotes. Characters that the printable form hides are \uNNNN, so the string that a JSON reader
 * gets is exactly the bytes. Bytes that are not UTF-8 appear in their printable form; see json_bytes(). */
void escape_json(struct out *out, struct bytes bytes);

/* The same; gives whether they are UTF-8. */
bool escape_json_exact(struct out *out, struct bytes bytes);

/* RFC 4648 base64 with padding. */
void escape_base64(struct out *out, struct bytes bytes);

/* One word of a POSIX shell, in single quotes unless all its characters are harmless. False, and nothing written, when
 * the bytes hold anything that the printable form hides: such a word cannot be read in a script. */
bool escape_shell(struct out *out, struct bytes bytes);

#endif
