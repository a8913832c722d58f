#include "tools/plan/model.h"

#include <stdio.h>
#include <string.h>

#include "tools/evidence/hosts.h"

static const struct effect *const tables[] = {effects_data,  effects_membership, effects_replication,
                                              effects_slots, effects_create,     effects_return};

static void take_process(struct process *process, const struct dump *dump)
{
    /* What an unproved AOF holds is unknown, so it counts as keys until it has been rewritten. */
    *process = (struct process){.running = true, .aof_keys = 1};
    if (!dump)
        return;
    process->keys = dump->slot_keys;
    process->memory_keys = process->dump_keys = dump->keys;
    process->memory_functions = dump->functions;
}

bool model_of(const struct evidence *evidence, struct arena *arena, struct model *model)
{
    *model = (struct model){.evidence = *evidence, .arena = arena};
    model->evidence.arena = arena;
    model->evidence.instances = arena_array(arena, evidence->instance_count, sizeof(struct instance));
    model->evidence.files = arena_array(arena, evidence->file_count, sizeof(struct evidence_file));
    model->processes = arena_array(arena, evidence->instance_count, sizeof(struct process));
    if (!model->evidence.instances || !model->evidence.files || !model->processes)
        return false;
    for (size_t i = 0; i < evidence->instance_count; i++) {
        model->evidence.instances[i] = evidence->instances[i];
        take_process(&model->processes[i], evidence->instances[i].dump);
    }
    for (size_t f = 0; f < evidence->file_count; f++)
        model->evidence.files[f] = evidence->files[f];
    return true;
}

size_t model_assume(struct model *model, const char *ip, uint16_t port)
{
    size_t number = model->evidence.instance_count;
    struct instance *instances = arena_array(model->arena, number + 1, sizeof(*instances));
    struct process *processes = arena_array(model->arena, number + 1, sizeof(*processes));
    const char *name = arena_format(model->arena, "%s:%u", ip, port);
    if (!instances || !processes || !name)
        return SIZE_MAX;
    for (size_t i = 0; i < number; i++) {
        instances[i] = model->evidence.instances[i];
        processes[i] = model->processes[i];
    }
    const char *host = hosts_named(&model->evidence, ip, port);
    instances[number] = (struct instance){
        .name = name, .host = host ? host : ip, .ip = ip, .port = port, .folder = "", .node = NO_NODE};
    processes[number] = (struct process){.running = true};
    model->evidence.instances = instances;
    model->evidence.instance_count = number + 1;
    model->processes = processes;
    return number;
}

static const struct effect *effect_of(enum action action)
{
    for (size_t t = 0; t < sizeof(tables) / sizeof(tables[0]); t++)
        if (tables[t][action].apply || tables[t][action].needs_running)
            return &tables[t][action];
    return NULL;
}

static const char *step_refused(struct model *model, const struct stage *stage, const struct step *step)
{
    const struct effect *effect = effect_of(step->action);
    if (!effect)
        return NULL;
    if (effect->needs_running && step->on != SIZE_MAX && !model->processes[step->on].running)
        return "the server does not run";
    return effect->apply ? effect->apply(model, stage, step) : NULL;
}

/* A slot that a step moved, closed or gave away, and that no later look at the members has found in its place. */
static unsigned unproved_slot(const struct stage *stage)
{
    bool open[SLOT_COUNT] = {false};
    for (size_t s = 0; s < stage->step_count; s++)
        for (unsigned slot = 0; stage->steps[s].slots && slot < SLOT_COUNT; slot++)
            if (stage->steps[s].slots->has[slot])
                open[slot] = stage->steps[s].kind == STEP_CHANGE;
    for (unsigned slot = 0; slot < SLOT_COUNT; slot++)
        if (open[slot])
            return slot;
    return SLOT_COUNT;
}

const char *model_play(struct model *model, const struct stage *stage)
{
    for (size_t s = 0; s < stage->step_count; s++) {
        const char *answer = step_refused(model, stage, &stage->steps[s]);
        if (answer)
            return arena_format(model->arena, "step %zu, %s: %s", s + 1, action_name(stage->steps[s].action), answer);
    }
    unsigned slot = stage->kind == STAGE_CREATE ? SLOT_COUNT : unproved_slot(stage);
    if (slot < SLOT_COUNT)
        return arena_format(model->arena, "nothing shows that slot %u is where it is to be", slot);
    const struct target *target = &stage->target;
    const struct process *process = target->instance == SIZE_MAX ? NULL : &model->processes[target->instance];
    if (process && target->empties &&
        (process->dump_keys || process->memory_functions || (target->aof && process->aof_keys)))
        return "old data would come back at the next start of the node";
    return NULL;
}

/* ------------------------------------------------------------------ views */

struct instance *model_instance(struct model *model, size_t number)
{
    return &model->evidence.instances[number];
}

uint32_t model_subject(const struct model *model, const struct stage *stage)
{
    const char *id = stage->target.id;
    return id ? view_store_find(model->evidence.store, (struct bytes){(const uint8_t *)id, strlen(id)}) : NO_NODE;
}

struct view *model_copy_view(struct model *model, const struct view *view, size_t extra)
{
    struct view *copy = arena_alloc(model->arena, sizeof(*copy));
    size_t count = view ? view->count : 0;
    if (!copy)
        return NULL;
    *copy = view ? *view : (struct view){.file = SIZE_MAX, .myself = SIZE_MAX};
    copy->sightings = arena_array(model->arena, count + extra, sizeof(*copy->sightings));
    if (!copy->sightings)
        return NULL;
    if (count)
        memcpy(copy->sightings, view->sightings, count * sizeof(*copy->sightings));
    return copy;
}

bool model_set_view(struct model *model, size_t instance, struct view *view)
{
    if (!view || !view_index(view, model->arena))
        return false;
    model->evidence.instances[instance].view = view;
    return true;
}

bool model_add_sighting(struct model *model, struct view *view, const struct entry *draft, int64_t pong_ms, bool own)
{
    const struct entry *entry = view_store_intern(model->evidence.store, draft);
    if (!entry)
        return false;
    if (own) {
        view->myself = view->count;
        view->myself_count = 1;
    }
    view->sightings[view->count++] =
        (struct sighting){.entry = entry, .pong_ms = pong_ms, .link = LINK_CONNECTED, .myself = own};
    return true;
}

bool model_drop_node(struct model *model, size_t instance, uint32_t node)
{
    struct view *view = model_copy_view(model, model->evidence.instances[instance].view, 0);
    size_t kept = 0;
    if (!view)
        return false;
    view->myself = SIZE_MAX;
    for (size_t s = 0; s < view->count; s++) {
        if (view->sightings[s].entry->node == node)
            continue;
        if (view->sightings[s].myself)
            view->myself = kept;
        view->sightings[kept++] = view->sightings[s];
    }
    view->count = kept;
    return model_set_view(model, instance, view);
}

bool model_change_entry(struct model *model, size_t instance, const struct entry *draft, int64_t pong_ms)
{
    const struct view *old = model->evidence.instances[instance].view;
    struct view *view = model_copy_view(model, old, 1);
    const struct entry *entry = view_store_intern(model->evidence.store, draft);
    if (!view || !entry)
        return false;
    if (!old || !view_find(old, draft->node))
        return model_add_sighting(model, view, draft, pong_ms, false) && model_set_view(model, instance, view);
    for (size_t s = 0; s < view->count; s++)
        if (view->sightings[s].entry->node == draft->node)
            view->sightings[s].entry = entry;
    return model_set_view(model, instance, view);
}

uint64_t model_highest_epoch(const struct model *model, const struct cluster *cluster)
{
    uint64_t highest = 0;
    for (size_t i = 0; i < cluster->core_count; i++) {
        uint64_t epoch = view_epoch(model->evidence.instances[cluster->core[i]].view);
        highest = epoch > highest ? epoch : highest;
    }
    return highest;
}

bool model_raise_epoch(struct model *model, size_t instance, uint64_t epoch)
{
    struct view *view = model_copy_view(model, model->evidence.instances[instance].view, 0);
    if (!view)
        return false;
    view->current_epoch = epoch > view->current_epoch ? epoch : view->current_epoch;
    return model_set_view(model, instance, view);
}

bool model_knows_nobody(const struct model *model, size_t instance)
{
    const struct view *view = model->evidence.instances[instance].view;
    return !view || view->count <= 1;
}

/* The dump of a server that had none: a file that no host has yet, so it is equal to no other. SIZE_MAX without
 * memory. */
static size_t new_file(struct model *model, size_t instance)
{
    struct evidence *evidence = &model->evidence;
    size_t number = evidence->file_count;
    struct evidence_file *files = arena_array(model->arena, number + 1, sizeof(*files));
    if (!files)
        return SIZE_MAX;
    memcpy(files, evidence->files, number * sizeof(*files));
    files[number] =
        (struct evidence_file){.path = "(a dump that is still to be written)", .where = "", .instance = instance};
    snprintf(files[number].sha256, sizeof(files[number].sha256), "(none) %zu", number);
    evidence->files = files;
    evidence->file_count = number + 1;
    return number;
}

bool model_save(struct model *model, size_t number)
{
    struct instance *instance = model_instance(model, number);
    struct process *process = &model->processes[number];
    struct dump *dump = arena_alloc(model->arena, sizeof(*dump));
    if (!dump)
        return false;
    if (instance->dump)
        *dump = *instance->dump;
    else if ((dump->file = new_file(model, number)) == SIZE_MAX)
        return false;
    dump->keys = process->dump_keys = process->memory_keys;
    dump->slot_keys = process->keys;
    if (!process->memory_keys) {
        dump->db_count = 0;
        dump->slot_keys = NULL;
    }
    dump->whole = true;
    instance->dump = dump;
    return true;
}
