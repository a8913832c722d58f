#include "tools/evidence/dump_transfer.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "parsers/bytes/transfer.h"

static size_t read_sample(struct source *source, uint8_t *buffer)
{
    size_t len = 0, got;
    while (len < TRANSFER_SAMPLE && (got = source_read(source, buffer + len, TRANSFER_SAMPLE - len)))
        len += got;
    return len;
}

/* `len` bytes of the beginning stand in the buffer; `size` becomes that of the whole. */
static bool is_proved(struct source *source, uint8_t *buffer, size_t len, enum transfer transfer, uint64_t *size)
{
    struct transfer_undo undo;
    transfer_undo_start(&undo, transfer);
    for (*size = 0; len; len = source_read(source, buffer, TRANSFER_SAMPLE)) {
        transfer_undo(&undo, (struct bytes){buffer, len});
        *size += len;
    }
    return !source_why(source) && transfer_undo_proves(&undo);
}

static bool can_be_undone(enum transfer transfer)
{
    return transfer == TRANSFER_CRLF || transfer == TRANSFER_UTF8;
}

static bool tell(struct dump_builder *builder, enum transfer transfer, bool proved, uint64_t size)
{
    char found[256];
    snprintf(found, sizeof(found), "a file that was transferred as text: %s; %s", transfer_sign(transfer),
             can_be_undone(transfer) && !proved ? "no checksum proves it" : transfer_remedy(transfer));
    const struct damage damage = {
        .place = {.length = size},
        .code = RDB_TEXT_TRANSFER,
        .expected = "the bytes that a server wrote",
        .found = found,
        .resumed = size,
    };
    return dump_builder_damage(builder, &damage, (struct bytes){0}, -1);
}

bool dump_transfer(const struct dump_how *how, struct dump_builder *builder)
{
    struct source *source = how->reopen ? how->reopen(how->context) : NULL;
    uint8_t *buffer = source ? malloc(TRANSFER_SAMPLE) : NULL;
    bool ok = !source || buffer;
    size_t len = buffer ? read_sample(source, buffer) : 0;
    bool certain, proved = false;
    enum transfer transfer = transfer_of((struct bytes){buffer, len}, &certain);
    uint64_t size = len;
    if (can_be_undone(transfer))
        proved = is_proved(source, buffer, len, transfer, &size);
    if (transfer != TRANSFER_NONE && (certain || proved))
        ok = tell(builder, transfer, proved, size);
    free(buffer);
    source_close(source);
    return ok;
}
