/* What steps do to the memory and the disk of one server. */
#include "tools/plan/model.h"

static const struct sighting *own_line(struct model *model, const struct step *step)
{
    const struct view *view = model_instance(model, step->on)->view;
    return view ? view_own(view) : NULL;
}

#define READ_ONLY "READONLY You can't write against a read only replica."

static const char *flush(struct model *model, const struct stage *stage, const struct step *step)
{
    const struct sighting *own = own_line(model, step);
    (void)stage;
    if (own && own->entry->flags & NODE_REPLICA)
        return READ_ONLY;
    model->processes[step->on].memory_keys = 0;
    model->processes[step->on].keys = NULL;
    return NULL;
}

static const char *flush_functions(struct model *model, const struct stage *stage, const struct step *step)
{
    const struct sighting *own = own_line(model, step);
    (void)stage;
    if (own && own->entry->flags & NODE_REPLICA)
        return READ_ONLY;
    model->processes[step->on].memory_functions = 0;
    return NULL;
}

static const char *save(struct model *model, const struct stage *stage, const struct step *step)
{
    (void)stage;
    return model_save(model, step->on) ? NULL : MODEL_NO_MEMORY;
}

static const char *rewrite_aof(struct model *model, const struct stage *stage, const struct step *step)
{
    (void)stage;
    model->processes[step->on].aof_keys = model->processes[step->on].memory_keys;
    return NULL;
}

static const char *shut_down(struct model *model, const struct stage *stage, const struct step *step)
{
    model->processes[step->on].running = false;
    return save(model, stage, step);
}

static const char *move_aside(struct model *model, const struct stage *stage, const struct step *step)
{
    struct instance *instance = model_instance(model, step->on);
    (void)stage;
    instance->view = NULL;
    instance->node = NO_NODE;
    instance->history_count = 0;
    return NULL;
}

/* One key more of this slot, in memory and, as after the next save, in its dump. */
static bool gain_key(struct model *model, size_t number, unsigned slot)
{
    struct process *process = &model->processes[number];
    uint32_t *keys = arena_array(model->arena, SLOT_COUNT, sizeof(*keys));
    if (!keys)
        return false;
    for (unsigned s = 0; process->keys && s < SLOT_COUNT; s++)
        keys[s] = process->keys[s];
    keys[slot]++;
    process->keys = keys;
    process->memory_keys++;
    return !model_instance(model, number)->dump || model_save(model, number);
}

static const char *rescue_keys(struct model *model, const struct stage *stage, const struct step *step)
{
    const struct copies *copies = stage->copies;
    if (model->processes[step->on].memory_keys < copies->listed)
        return "NOKEY";
    for (size_t k = 0; k < copies->listed; k++) {
        uint32_t owner = stage->cluster->slots[copies->keys[k].slot].node;
        size_t number = owner == NO_NODE ? SIZE_MAX : stage->cluster->nodes[owner].instance;
        if (number != SIZE_MAX && !gain_key(model, number, copies->keys[k].slot))
            return MODEL_NO_MEMORY;
    }
    return NULL;
}

/* The live server will say it; here it is what the stage takes for granted. */
static const char *prove_down(struct model *model, const struct stage *stage, const struct step *step)
{
    (void)stage;
    model->processes[step->on].running = false;
    return NULL;
}

static const char *move_data_aside(struct model *model, const struct stage *stage, const struct step *step)
{
    struct process *process = &model->processes[step->on];
    (void)stage;
    if (process->running)
        return "the server runs, and would write its files again";
    model_instance(model, step->on)->dump = NULL;
    process->keys = NULL;
    process->memory_keys = process->memory_functions = process->dump_keys = process->aof_keys = 0;
    return NULL;
}

const struct effect effects_data[ACTIONS] = {
    [ACTION_VERIFY_CONTENT] = {NULL, true},
    [ACTION_RESCUE_KEYS] = {rescue_keys, true},
    [ACTION_FLUSH_ALL] = {flush, true},
    [ACTION_FLUSH_FUNCTIONS] = {flush_functions, true},
    [ACTION_SAVE] = {save, true},
    [ACTION_REWRITE_AOF] = {rewrite_aof, true},
    [ACTION_SHUTDOWN] = {shut_down, true},
    [ACTION_VERIFY_DOWN] = {prove_down, false},
    [ACTION_MOVE_DATA_ASIDE] = {move_data_aside, false},
    [ACTION_MOVE_ASIDE] = {move_aside, false},
};
