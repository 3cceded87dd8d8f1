/* The published folder layout: data_<id>/prompt.json beside images and one folder per system. Its
 * keys differ from category to category; docs/dataset.md §3 says what is taken from where. */
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/log.h"
#include "base/mem.h"
#include "dataset/parts.h"

enum { PROMPT_BYTES_MAX = 16 << 20, CHOICES_MAX = 26 };

/* ---- categories ---------------------------------------------------------------------------- */

static const struct ge_category categories[] = {
    {"reasoning", "Reasoning", "reasoning", false},
    {"physics", "Reasoning", "physics", false},
    {"multi hop", "World Knowledge", "world-knowledge", true},
    {"counting", "Numerical Perception", "counting", false},
    {"rule based", "Instruction Following", "rule-based", false},
};

/* Equal without case, with '_' and '-' as spaces. */
static bool same_category(const char *a, const char *b)
{
    for (; *a != '\0' && *b != '\0'; a++, b++) {
        char c = *a == '_' || *a == '-' ? ' ' : (char)tolower((unsigned char)*a);
        if (c != *b) return false;
    }
    return *a == *b;
}

struct ge_category ge_category_find(const char *raw)
{
    for (size_t i = 0; i < sizeof categories / sizeof *categories; i++) {
        if (same_category(raw, categories[i].raw)) return categories[i];
    }
    return (struct ge_category){raw, raw, "vqa", false};
}

/* ---- one item ------------------------------------------------------------------------------ */

/* An item in the making: its folder's prompt.json and which keys have been used. */
struct prompt {
    struct ge_fields f; /* f.folder is the item's folder */
    const char *used[16];
    size_t n_used;
};

/* The first of the keys that is there (and not null), marked as used; NULL if none is. */
static const ge_json *first_of(struct prompt *p, const char *const *keys, const char **key)
{
    for (; *keys != NULL; keys++) {
        const ge_json *node = ge_json_get(p->f.object, *keys);
        if (node == NULL || ge_json_type(node) == GE_JSON_NULL) continue;
        p->used[p->n_used++] = *key = *keys;
        return node;
    }
    *key = NULL;
    return NULL;
}

static ge_status required_string(struct prompt *p, const char *const *keys, const char **out)
{
    const char *key;
    if (first_of(p, keys, &key) == NULL) key = keys[0];
    return ge_fields_string(&p->f, key, true, out);
}

static const char *lines_joined(struct ge_arena *arena, const ge_json *list)
{
    struct ge_buf text;
    ge_buf_init(&text, PROMPT_BYTES_MAX);
    for (const ge_json *e = ge_json_first(list); e != NULL; e = ge_json_next(e)) {
        ge_buf_printf(&text, "%s%s", text.len > 0 ? "\n" : "", ge_json_string(e, ""));
    }
    const char *kept = text.status != GE_OK ? NULL
                       : text.data == NULL  ? ge_arena_strdup(arena, "")
                                            : ge_arena_strndup(arena, text.data, text.len);
    ge_buf_free(&text);
    return kept;
}

/* The reference text: a string, a list of strings (its lines) or a number; NULL if none. */
static ge_status read_reference(struct prompt *p, const char **out)
{
    static const char *const keys[] = {"reference", "expect_text", "answer", "gt_prompt", NULL};
    ge_status rc = GE_OK;
    const char *key;
    const ge_json *node = first_of(p, keys, &key);
    struct ge_strings list;
    *out = NULL;
    if (node == NULL) goto done;
    if (ge_json_type(node) == GE_JSON_NUMBER) {
        GE_TRY(ge_fields_text(p->f.arena, node, out));
    } else if (ge_json_type(node) == GE_JSON_ARRAY) {
        GE_TRY(ge_fields_strings(&p->f, key, &list));
        GE_TRY_PTR(*out, lines_joined(p->f.arena, node));
    } else {
        GE_TRY(ge_fields_string(&p->f, key, false, out));
    }
    if (*out != NULL && (*out)[0] == '\0') *out = NULL;
done:
    return rc;
}

bool ge_is_image_name(const char *name)
{
    static const char *const extensions[] = {"png", "jpg", "jpeg", "webp"};
    const char *extension = ge_fs_extension(name);
    for (size_t i = 0; i < sizeof extensions / sizeof *extensions; i++) {
        if (strcasecmp(extension, extensions[i]) == 0 && name[0] != '.') return true;
    }
    return false;
}

ge_status ge_list_images(struct ge_arena *arena, const char *folder, struct ge_strings *out)
{
    ge_status rc = GE_OK;
    char **names = NULL;
    size_t n = 0;
    *out = (struct ge_strings){0};
    if (!ge_fs_is_dir(folder)) goto done;
    GE_TRY(ge_fs_list(folder, &names, &n));
    GE_TRY_PTR(out->v, ge_arena_alloc(arena, n, sizeof *out->v));
    for (size_t i = 0; i < n; i++) {
        if (!ge_is_image_name(names[i])) continue;
        GE_TRY_PTR(out->v[out->n], ge_arena_printf(arena, "%s/%s", folder, names[i]));
        out->n++;
    }
done:
    ge_fs_list_free(names, n);
    return rc;
}

/* Images of the first of the item's sub-folders that holds any. */
static ge_status images_in(const struct prompt *p, const char *const *folders,
                           struct ge_strings *out)
{
    ge_status rc = GE_OK;
    *out = (struct ge_strings){0};
    for (; *folders != NULL && out->n == 0; folders++) {
        const char *folder;
        GE_TRY_PTR(folder, ge_fields_join(&p->f, *folders));
        GE_TRY(ge_list_images(p->f.arena, folder, out));
    }
done:
    return rc;
}

static const char *const image_folders[] = {"image", "inage", NULL};

/* A path of prompt.json: relative to the item's folder or, seen in practice, to its image folder.
 * The first place where there is a file; the item's folder if there is none. */
static ge_status resolve_image(const struct prompt *p, const char *name, const char **out)
{
    ge_status rc = GE_OK;
    GE_TRY_PTR(*out, ge_fields_join(&p->f, name));
    if (ge_fs_exists(*out)) goto done;
    for (const char *const *folder = image_folders; *folder != NULL; folder++) {
        const char *inside, *path;
        GE_TRY_PTR(inside, ge_arena_printf(p->f.arena, "%s/%s", *folder, name));
        GE_TRY_PTR(path, ge_fields_join(&p->f, inside));
        if (ge_fs_exists(path)) {
            *out = path;
            goto done;
        }
    }
done:
    return rc;
}

/* The image that one of the keys names; otherwise what is in the folders. */
static ge_status read_images(struct prompt *p, const char *const *keys, const char *const *folders,
                             struct ge_strings *out)
{
    ge_status rc = GE_OK;
    const char *key, *name, *path;
    if (first_of(p, keys, &key) != NULL) {
        GE_TRY(ge_fields_string(&p->f, key, false, &name));
        if (name[0] != '\0') {
            GE_TRY(resolve_image(p, name, &path));
            GE_TRY(ge_fields_one(p->f.arena, path, out));
            goto done;
        }
    }
    GE_TRY(images_in(p, folders, out));
done:
    return rc;
}

/* A count as a number or as a string that holds one. */
static bool count_of(const ge_json *node, int64_t *out)
{
    const char *s = ge_json_string(node, NULL);
    char *end = NULL;
    double v = s != NULL ? strtod(s, &end) : ge_json_number(node, NAN);
    bool whole = s == NULL || (end != s && *end == '\0');
    if (!whole || !(v >= 0 && v <= 1e9) || v != floor(v)) return false;
    *out = (int64_t)v;
    return true;
}

/* "task": {"objects": [...], "number": [...]}: two lists of one length (or two single values). */
static ge_status read_counts(struct prompt *p, struct ge_task *und, struct ge_task *gen)
{
    static const char *const keys[] = {"task", NULL};
    static const char allowed[] =
        "{\"objects\": [names], \"number\": [whole numbers]}, the lists equally long";
    ge_status rc = GE_OK;
    const char *key;
    const ge_json *task = first_of(p, keys, &key);
    if (task == NULL) return GE_OK;
    if (ge_json_type(task) != GE_JSON_OBJECT) {
        p->used[--p->n_used] = NULL; /* a word of another category: kept as it is */
        return GE_OK;
    }
    const ge_json *names = ge_json_get(task, "objects"), *numbers = ge_json_get(task, "number");
    bool lists = ge_json_type(names) == GE_JSON_ARRAY && ge_json_type(numbers) == GE_JSON_ARRAY;
    if (!lists || ge_json_count(names) != ge_json_count(numbers)) {
        return ge_fields_refuse(&p->f, "task", task, allowed);
    }
    struct ge_object *o;
    GE_TRY_PTR(o, ge_arena_alloc(p->f.arena, ge_json_count(names), sizeof *o));
    und->objects = gen->objects = o;
    const ge_json *number = ge_json_first(numbers);
    for (const ge_json *e = ge_json_first(names); e != NULL; e = ge_json_next(e), o++) {
        const char *name = ge_json_string(e, NULL);
        o->present = true;
        if (name == NULL || !count_of(number, &o->number)) {
            return ge_fields_refuse(&p->f, "task", name == NULL ? e : number, allowed);
        }
        GE_TRY_PTR(o->name, ge_arena_strdup(p->f.arena, name));
        number = ge_json_next(number);
    }
    und->n_objects = gen->n_objects = ge_json_count(names);
done:
    return rc;
}

/* "B", "(B)" or "B." as the letter; '\0' for anything else. */
static char lone_letter(const char *text)
{
    text += strspn(text, " \t\r\n(");
    char c = *text;
    if (c < 'A' || c > 'Z') return '\0';
    text++;
    return text[strspn(text, " \t\r\n).")] == '\0' ? c : '\0';
}

/* A multiple-choice question carries its options in the prompt, one a line: "A. …" or "(A) …".
 * Taken as such only if the options run A, B, … and the reference is the letter of one of them. */
static ge_status read_choices(struct prompt *p, struct ge_task *und)
{
    ge_status rc = GE_OK;
    char letter = und->references.n == 1 ? lone_letter(und->references.v[0]) : '\0';
    const char *choices[CHOICES_MAX];
    size_t n = 0;
    if (letter == '\0') goto done;
    for (const char *line = und->prompt; *line != '\0';) {
        size_t len = strcspn(line, "\n");
        const char *s = line + strspn(line, " \t(");
        bool option = n < CHOICES_MAX && s[0] == (char)('A' + n) && s[0] != '\0' &&
                      (s[1] == '.' || s[1] == ')' || s[1] == ':');
        if (option) {
            s += 2 + strspn(s + 2, " \t");
            size_t left = s < line + len ? (size_t)(line + len - s) : 0;
            while (left > 0 && strchr(" \t\r", s[left - 1]) != NULL) left--;
            GE_TRY_PTR(choices[n], ge_arena_strndup(p->f.arena, s, left));
            n++;
        }
        line += len + (line[len] == '\n');
    }
    if (n < 2 || letter >= (char)('A' + n)) goto done;
    und->type = "choice";
    GE_TRY_PTR(und->choices.v, ge_arena_alloc(p->f.arena, n, sizeof *und->choices.v));
    memcpy(und->choices.v, choices, n * sizeof *choices);
    und->choices.n = n;
    GE_TRY_PTR(und->answer, ge_arena_printf(p->f.arena, "%c", letter));
done:
    return rc;
}

/* Tags for what the layout knows beside category and subcategory. */
static ge_status read_tags(struct prompt *p, const char *paper, struct ge_item *item)
{
    static const char *const keys[] = {"subsubcategory", NULL};
    ge_status rc = GE_OK;
    const char *key, *deeper = NULL;
    if (first_of(p, keys, &key) != NULL) GE_TRY(ge_fields_string(&p->f, key, false, &deeper));
    GE_TRY_PTR(item->tags.v, ge_arena_alloc(p->f.arena, 2, sizeof *item->tags.v));
    GE_TRY_PTR(item->tags.v[0], ge_arena_printf(p->f.arena, "paper:%s", paper));
    item->tags.n = 1;
    if (deeper != NULL && deeper[0] != '\0') {
        GE_TRY_PTR(item->tags.v[1], ge_arena_printf(p->f.arena, "subsubcategory:%s", deeper));
        item->tags.n = 2;
    }
done:
    return rc;
}

static ge_status read_prompts(struct prompt *p, const struct ge_category *category,
                              struct ge_task *und, struct ge_task *gen)
{
    static const char *const und_keys[] = {"und_prompt", "problem", NULL};
    static const char *const gen_keys[] = {"gen_prompt", NULL};
    static const char *const image_keys[] = {"img", "image", "input_image", NULL};
    static const char *const expect_keys[] = {"expect_image", NULL};
    static const char *const reference_folders[] = {"ref", NULL};
    ge_status rc = GE_OK;
    const char *reference;
    struct ge_strings images;
    *und = *gen = (struct ge_task){.present = true};
    GE_TRY(required_string(p, und_keys, &und->prompt));
    GE_TRY(required_string(p, gen_keys, &gen->prompt));
    GE_TRY(read_reference(p, &reference));
    GE_TRY(read_images(p, image_keys, image_folders, &images));
    if (images.n > 1) images.n = 1; /* the question image is the first one */
    und->images = images;
    if (!category->gen_from_text) gen->images = images;
    GE_TRY(read_images(p, expect_keys, reference_folders, &gen->reference_images));
    if (reference != NULL) GE_TRY(ge_fields_one(p->f.arena, reference, &und->references));
    gen->references = und->references;
    und->type = category->und_type;
    gen->type = gen->images.n > 0 ? "edit" : "generation";
    GE_TRY(read_counts(p, und, gen));
    GE_TRY(read_choices(p, und));
done:
    return rc;
}

static ge_status read_item(struct prompt *p, const char *id, struct ge_item *item)
{
    static const char *const category_keys[] = {"category", NULL};
    static const char *const subcategory_keys[] = {"subcategory", NULL};
    ge_status rc = GE_OK;
    const char *key;
    *item = (struct ge_item){.id = id};
    GE_TRY(required_string(p, category_keys, &item->category));
    if (first_of(p, subcategory_keys, &key) != NULL) {
        GE_TRY(ge_fields_string(&p->f, key, false, &item->subcategory));
    }
    struct ge_category category = ge_category_find(item->category);
    GE_TRY(read_tags(p, category.paper, item));
    GE_TRY(read_prompts(p, &category, &item->task[GE_UND], &item->task[GE_GEN]));
    GE_TRY(ge_extra_text(&p->f, p->used, &item->extra));
done:
    return rc;
}

/* Which files were chosen is part of the content: a new file in image/ may change the question. */
static void hash_paths(struct ge_hasher *hasher, const char *folder, const struct ge_strings *paths)
{
    size_t len = strlen(folder);
    ge_hasher_add_u64(hasher, paths->n);
    for (size_t i = 0; i < paths->n; i++) {
        const char *path = paths->v[i];
        ge_hasher_add_str(hasher, strncmp(path, folder, len) == 0 ? path + len : path);
    }
}

/* ---- the folders --------------------------------------------------------------------------- */

/* prompt.json holds one object, or a list that holds one. */
static const ge_json *the_object(const ge_json *doc)
{
    if (ge_json_type(doc) == GE_JSON_ARRAY && ge_json_count(doc) == 1) doc = ge_json_first(doc);
    return ge_json_type(doc) == GE_JSON_OBJECT ? doc : NULL;
}

static ge_status read_folder(struct ge_builder *b, struct ge_hasher *hasher, const char *path,
                             const char *name)
{
    ge_status rc = GE_OK;
    char *text = NULL;
    size_t len;
    ge_json *doc = NULL;
    struct ge_item item;
    struct prompt p = {.f = {.arena = b->ds->arena, .prefix = ""}};
    const char *id;
    GE_TRY_PTR(id, ge_arena_strdup(b->ds->arena, name));
    GE_TRY_PTR(p.f.folder, ge_arena_printf(b->ds->arena, "%s/%s", path, name));
    GE_TRY_PTR(p.f.place, ge_arena_printf(b->ds->arena, "%s/prompt.json", p.f.folder));
    if (!ge_fs_exists(p.f.place)) {
        ge_warn("%s: no prompt.json, so this is not an item", p.f.folder);
        goto done;
    }
    GE_TRY(ge_fs_read(p.f.place, PROMPT_BYTES_MAX, &text, &len));
    ge_hasher_add_str(hasher, name);
    ge_hasher_add_u64(hasher, len);
    ge_hasher_add(hasher, text, len);
    GE_TRY(ge_json_parse(text, len, p.f.place, &doc));
    p.f.object = the_object(doc);
    if (p.f.object == NULL) {
        rc =
            ge_fail(GE_EFORMAT, "%s: found %s, allowed: an object, or a list that holds one object",
                    p.f.place, ge_json_type_name(ge_json_type(doc)));
        goto done;
    }
    GE_TRY(read_item(&p, id, &item));
    hash_paths(hasher, p.f.folder, &item.task[GE_UND].images);
    hash_paths(hasher, p.f.folder, &item.task[GE_GEN].reference_images);
    GE_TRY(ge_builder_add(b, item, p.f.place));
done:
    ge_json_delete(&doc);
    free(text);
    return rc;
}

ge_status ge_folders_read(struct ge_builder *b, const char *path)
{
    ge_status rc = GE_OK;
    struct ge_hasher *hasher = NULL;
    char **names = NULL;
    size_t n = 0;
    if (!ge_fs_is_dir(path)) {
        rc = ge_fail(ge_fs_exists(path) ? GE_EFORMAT : GE_ENOENT,
                     "%s: found no folder, allowed: a folder of data_<id> folders", path);
        goto done;
    }
    GE_TRY_PTR(hasher, ge_hasher_new());
    GE_TRY(ge_fs_list(path, &names, &n));
    for (size_t i = 0; i < n; i++) {
        if (strncmp(names[i], "data_", 5) != 0) continue;
        GE_TRY(read_folder(b, hasher, path, names[i]));
    }
    b->ds->content = ge_hasher_get(hasher);
    if (b->n == 0) {
        rc = ge_fail(GE_EFORMAT,
                     "%s: found no data_<id>/prompt.json, allowed: the published GapEval folders",
                     path);
    }
done:
    ge_fs_list_free(names, n);
    ge_hasher_delete(&hasher);
    return rc;
}
