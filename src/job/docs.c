/* docs/job.md and --help, written from the option table. */
#include <string.h>

#include "job/option_walk.h"
#include "job/spec.h"

static const char intro[] =
    "# Job files\n"
    "\n"
    "<!-- Written from the option table in src/job/option_table.c by `gapeval docs job`. -->\n"
    "\n"
    "A job is one JSON object: what is evaluated (`dataset`, `systems`), with what (`encoders`), "
    "how\n"
    "answers become verdicts (`scoring`) and verdicts become tables (`aggregation`), where results "
    "go\n"
    "(`output`) and how the work is done (`runtime`). `gapeval plan JOB` checks it without "
    "running.\n"
    "\n"
    "```json\n"
    "{\n"
    "  \"name\": \"demo\",\n"
    "  \"dataset\": {\"path\": \"../data/demo/items.jsonl\"},\n"
    "  \"systems\": [\n"
    "    {\"name\": \"even\", \"answers\": \"../data/demo/systems/even/answers.jsonl\"}\n"
    "  ],\n"
    "  \"encoders\": {\n"
    "    \"clip\": {\"model\": \"../data/demo/clip\"}\n"
    "  },\n"
    "  \"scoring\": {\n"
    "    \"roles\": {\"image_text\": \"clip\", \"image_image\": \"clip\"}\n"
    "  }\n"
    "}\n"
    "```\n"
    "\n"
    "- Paths in the file are relative to the file; paths given by a flag or `--set` are relative "
    "to the\n"
    "  current folder.\n"
    "- `--set key.path=value` sets any option: the value is JSON, or else a string. A list is "
    "replaced as\n"
    "  a whole. A name that holds a dot (a metric) is reached through the object around it:\n"
    "  `--set 'scoring.thresholds.vqa={\"similarity.text_text.reference\": {\"min\": 0.8}}'`.\n"
    "- `{\"$file\": \"thresholds.json\"}` may stand for any object; the file's object takes its "
    "place.\n"
    "- `null` says the same as leaving an option out.\n"
    "- *Results* marks options that affect results: they enter a cell's hash, and a run that was "
    "begun\n"
    "  with another value is not continued.\n";

static const char *type_name(enum ge_option_type type)
{
    switch (type) {
    case GE_OPT_STRING:
        return "string";
    case GE_OPT_NAME:
        return "name";
    case GE_OPT_PATH:
        return "path";
    case GE_OPT_INT:
        return "whole number";
    case GE_OPT_REAL:
        return "number";
    case GE_OPT_BOOL:
        return "bool";
    case GE_OPT_ENUM:
        return "choice";
    case GE_OPT_STRINGS:
        return "list of strings";
    case GE_OPT_PATHS:
        return "path or list of paths";
    case GE_OPT_OBJECT:
        return "object";
    case GE_OPT_MAP:
        return "object, free names";
    case GE_OPT_LIST:
        return "list of objects";
    }
    return "";
}

/* "a|b" as `a`, `b`: a table cell cannot hold the bar. */
static void write_allowed(const char *allowed, struct ge_buf *out)
{
    for (const char *p = allowed; *p != '\0';) {
        size_t len = strcspn(p, "|");
        ge_buf_printf(out, "%s`%.*s`", p == allowed ? "" : ", ", (int)len, p);
        p += len + (p[len] == '|');
    }
}

static void write_type(const struct ge_option *row, struct ge_buf *out)
{
    char min[32], max[32];
    if (row->allowed != NULL) {
        if (row->type == GE_OPT_STRINGS) ge_buf_str(out, "list of ");
        write_allowed(row->allowed, out);
        return;
    }
    ge_buf_str(out, type_name(row->type));
    if (row->type != GE_OPT_INT && row->type != GE_OPT_REAL) return;
    ge_double_text(row->min, min);
    ge_double_text(row->max, max);
    ge_buf_printf(out, ", %s…%s", min, max);
}

static void write_row(const struct ge_option *row, struct ge_buf *out)
{
    ge_buf_printf(out, "| `%s` | ", row->path);
    write_type(row, out);
    if (row->required) {
        ge_buf_str(out, " | *required*");
    } else if (row->def != NULL) {
        ge_buf_printf(out, " | `%s`", row->def);
    } else {
        ge_buf_str(out, " | ");
    }
    ge_buf_printf(out, " | %s", row->affects_results ? "yes" : "");
    ge_buf_printf(out, " | %s", row->help);
    if (row->flag != NULL) ge_buf_printf(out, "; flag `%s`", row->flag);
    ge_buf_str(out, " |\n");
}

static void write_task(const struct ge_task_default *t, struct ge_buf *out)
{
    ge_buf_printf(out, "| `%s` | %s", t->type, t->rule);
    if (t->metric != NULL) ge_buf_printf(out, " on `%s`", t->metric);
    if (t->fallback != NULL) ge_buf_printf(out, ", without distractors %s", t->fallback);
    ge_buf_str(out, " | ");
    for (size_t i = 0; i < sizeof t->metrics / sizeof *t->metrics && t->metrics[i] != NULL; i++) {
        ge_buf_printf(out, "%s`%s`", i > 0 ? ", " : "", t->metrics[i]);
    }
    ge_buf_printf(out, " | %s |\n", t->help);
}

static void write_tasks(struct ge_buf *out)
{
    size_t n;
    const struct ge_task_default *t = ge_task_defaults(&n);
    ge_buf_str(out,
               "\n## Built-in scoring of task types\n"
               "\n"
               "What a job leaves out for these types; metrics whose role has no encoder are "
               "dropped. A rule\n"
               "`threshold` needs a value under `scoring.thresholds.<type>`: there is no sensible "
               "one for every\n"
               "encoder.\n"
               "\n"
               "| task type | verdict rule | further metrics | for |\n"
               "|---|---|---|---|\n");
    for (size_t i = 0; i < n; i++) write_task(&t[i], out);
}

void ge_options_markdown(struct ge_buf *out)
{
    size_t n;
    const struct ge_option *rows = ge_options(&n);
    ge_buf_str(out, intro);
    ge_buf_str(out, "\n## All options\n"
                    "\n"
                    "`*` is a name of your choice, `[]` an element of a list.\n"
                    "\n"
                    "| option | type | default | results | meaning |\n"
                    "|---|---|---|---|---|\n");
    for (size_t i = 0; i < n; i++) write_row(&rows[i], out);
    write_tasks(out);
}

enum { HELP_COLUMN = 28, HELP_WIDTH = 100 };

/* `text` in lines of HELP_WIDTH, from HELP_COLUMN on; the first line's indent is there already. */
static void write_wrapped(const char *text, struct ge_buf *out)
{
    size_t column = HELP_COLUMN;
    while (*text != '\0') {
        size_t len = strcspn(text, " ");
        if (column > HELP_COLUMN && column + 1 + len > HELP_WIDTH) {
            ge_buf_printf(out, "\n%*s", (int)HELP_COLUMN, "");
            column = HELP_COLUMN;
        }
        ge_buf_printf(out, "%s%.*s", column > HELP_COLUMN ? " " : "", (int)len, text);
        column += len + (column > HELP_COLUMN);
        text += len + strspn(text + len, " ");
    }
    ge_buf_char(out, '\n');
}

void ge_options_help(struct ge_buf *out)
{
    size_t n;
    const struct ge_option *rows = ge_options(&n);
    for (size_t i = 0; i < n; i++) {
        if (rows[i].flag == NULL) continue;
        struct ge_buf text;
        ge_buf_init(&text, 4096);
        ge_buf_str(&text, rows[i].help);
        if (rows[i].allowed != NULL) ge_buf_printf(&text, " (%s)", rows[i].allowed);
        if (rows[i].def != NULL) ge_buf_printf(&text, " [%s]", rows[i].def);
        ge_buf_printf(out, "  %-*s", HELP_COLUMN - 2, rows[i].flag);
        if (text.data != NULL) write_wrapped(text.data, out);
        ge_buf_free(&text);
    }
    ge_buf_printf(out, "  %-*s", HELP_COLUMN - 2, "--set KEY=VALUE");
    write_wrapped("Set any option of docs/job.md, e.g. --set runtime.threads=4", out);
}
