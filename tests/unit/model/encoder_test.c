/* Model folders that are wrong in one thing each: a clear error that names it, never a crash. The
 * folders are copies of the golden ones by links, with one file replaced. */
#include "device/device.h"
#include "folder.h"
#include "model/encoder.h"

#define GOLDEN GE_SOURCE_DIR "/tests/golden/model/"

static struct ge_device *dev;
static char *dir;

/* Fill the test's folder with links to a golden one. */
static void copy_golden(const char *name)
{
    char *from = ge_fs_join(GOLDEN, name), **names;
    size_t n;

    dir = folder_new();
    assert_ok(ge_fs_list(from, &names, &n));
    for (size_t i = 0; i < n; i++) {
        char *target = ge_fs_join(from, names[i]), *link = ge_fs_join(dir, names[i]);
        assert_int_equal(symlink(target, link), 0);
        free(target);
        free(link);
    }
    ge_fs_list_free(names, n);
    free(from);
}

/* Remove a link or file, so that a folder of that name can be written. */
static void drop(const char *name)
{
    char *path = ge_fs_join(dir, name);

    assert_int_equal(unlink(path), 0);
    free(path);
}

static void read_golden(const char *name, char **data, size_t *len)
{
    char *path = ge_fs_join(GOLDEN, name);

    *data = NULL;
    assert_ok(ge_fs_read(path, 1 << 20, data, len));
    free(path);
}

/* Loading must fail like this, and the message contain `says`. */
static void must_fail(ge_status want, const char *says)
{
    struct ge_encoder *e = NULL;

    ge_error_clear();
    ge_status rc = ge_encoder_load(dir, dev, NULL, &e);
    if (rc != want || e != NULL || strstr(ge_error(), says) == NULL) {
        print_error("%s (wanted %s with \"%s\"): %s\n", ge_status_name(rc), ge_status_name(want),
                    says, ge_error());
        fail();
    }
}

/* The golden file `name` with the first `from` replaced by `to`. */
static void put_edited(const char *folder, const char *name, const char *from, const char *to)
{
    char *path = ge_sprintf("%s/%s", folder, name);
    char *text, *found, *edited;
    size_t len;

    read_golden(path, &text, &len);
    found = strstr(text, from);
    if (found == NULL) {
        print_error("%s: no \"%s\"\n", path, from);
        fail();
    }
    *found = '\0';
    edited = ge_sprintf("%s%s%s", text, to, found + strlen(from));
    folder_put_text(dir, name, edited);
    free(edited);
    free(text);
    free(path);
}

static void test_configs(void **state)
{
    static const struct {
        const char *folder, *from, *to;
        ge_status want;
        const char *says;
    } cases[] = {
        {"clip_quick", "\"clip\"", "\"flava\"", GE_EUNSUPPORTED, "known: clip, clip_text_model"},
        {"clip_quick", "\"model_type\": \"clip\"", "\"x\": 1", GE_EUNSUPPORTED, "(none)"},
        {"clip_quick", "{", "", GE_EFORMAT, "config.json"},
        {"clip_quick", "{", "[{}, {", GE_EFORMAT, "config.json"},
        {"clip_quick", "\"hidden_act\": \"quick_gelu\"", "\"hidden_act\": \"mish\"",
         GE_EUNSUPPORTED, "mish"},
        {"clip_quick", "\"projection_dim\": 20", "\"projection_dim\": -1", GE_EFORMAT,
         "projection_dim"},
        {"bert_old", "\"hidden_size\": 32", "\"hidden_size\": 1e30", GE_EFORMAT, "hidden_size"},
        {"bert_old", "\"hidden_size\": 32", "\"hidden_size\": 65536", GE_EFORMAT,
         "word_embeddings"},
        {"bert_old", "\"hidden_size\": 32", "\"hidden_size\": \"32\"", GE_EFORMAT, "hidden_size"},
        {"bert_old", "\"hidden_size\": 32", "\"hidden_size\": 0", GE_EFORMAT, "hidden_size"},
        {"bert_old", "\"num_attention_heads\": 4", "\"num_attention_heads\": 0", GE_EFORMAT,
         "num_attention_heads"},
        {"bert_old", "\"num_attention_heads\": 4", "\"num_attention_heads\": 5", GE_EFORMAT,
         "multiple of 5 heads"},
        {"bert_old", "\"intermediate_size\": 37", "\"intermediate_size\": 38", GE_EFORMAT,
         "intermediate.dense.weight is (37,32), the configuration wants (38,32)"},
        {"bert_old", "\"num_hidden_layers\": 2", "\"num_hidden_layers\": 3", GE_EFORMAT,
         "encoder.layer.2.attention.self.query.weight is missing"},
        {"bert_old", "\"num_hidden_layers\": 2", "\"num_hidden_layers\": 1000000000", GE_EFORMAT,
         "num_hidden_layers"},
        {"bert_old", "\"layer_norm_eps\": 1e-12", "\"layer_norm_eps\": -1", GE_EFORMAT,
         "layer_norm_eps"},
        {"bert_old", "\"hidden_size\": 32",
         "\"position_embedding_type\": \"relative_key\", \"hidden_size\": 32", GE_EUNSUPPORTED,
         "relative_key"},
        {"bert_old", "\"max_position_embeddings\": 48", "\"max_position_embeddings\": 49",
         GE_EFORMAT, "position_embeddings"},
        {"clip_quick", "\"image_size\": 30", "\"image_size\": 32", GE_EFORMAT,
         "position_embedding"},
        {"clip_quick", "\"patch_size\": 2", "\"patch_size\": 31", GE_EFORMAT, "patch_size"},
        {"clip_quick", "\"text_config\": {", "\"text_config\": 7, \"was\": {", GE_EFORMAT,
         "text_config"},
        {"dinov2", "\"hidden_size\": 32", "\"hidden_size\": 33", GE_EFORMAT, "multiple of 4 heads"},
        {"dinov2", "\"hidden_size\": 32", "\"hidden_size\": 65536", GE_EFORMAT,
         "projection.weight is (32,3,4,4), the configuration wants (65536,48)"},
        {"dinov2", "\"mlp_ratio\": 2", "\"mlp_ratio\": -1", GE_EFORMAT, "mlp_ratio"},
        {"dinov2", "\"mlp_ratio\": 2", "\"mlp_ratio\": 0.01", GE_EFORMAT, "leaves nothing"},
        {"dinov2", "\"mlp_ratio\": 2", "\"mlp_ratio\": 3", GE_EFORMAT,
         "mlp.fc1.weight is (64,32), the configuration wants (96,32)"},
        {"dinov2", "\"image_size\": 45", "\"image_size\": 49", GE_EFORMAT,
         "position_embeddings is (1,122,32), the configuration wants (145,32)"},
        {"dinov2", "\"image_size\": 45", "\"image_size\": [45, 45]", GE_EFORMAT, "image_size"},
        {"dinov2", "\"patch_size\": 4", "\"patch_size\": 0", GE_EFORMAT, "patch_size"},
        {"dinov2", "\"patch_size\": 4", "\"patch_size\": 40", GE_EFORMAT, "smaller than a patch"},
        {"dinov2", "\"num_channels\": 3", "\"num_channels\": 4", GE_EFORMAT, "num_channels"},
        {"dinov2", "\"hidden_act\": \"gelu\"", "\"hidden_act\": \"mish\"", GE_EUNSUPPORTED, "mish"},
        {"dinov2", "\"qkv_bias\": true", "\"qkv_bias\": \"yes\"", GE_EFORMAT, "qkv_bias"},
        {"dinov2", "\"use_swiglu_ffn\": false", "\"use_swiglu_ffn\": true", GE_EFORMAT,
         "mlp.weights_in.weight is missing"},
        {"dinov2_swiglu", "\"qkv_bias\": false", "\"qkv_bias\": true", GE_EFORMAT,
         "attention.query.bias is missing"},
        {"dinov2_registers", "\"num_register_tokens\": 4", "\"num_register_tokens\": 5", GE_EFORMAT,
         "register_tokens is (1,4,32), the configuration wants (5,32)"},
        {"dinov2_registers", "\"num_register_tokens\": 4", "\"num_register_tokens\": 1e9",
         GE_EFORMAT, "num_register_tokens"},
        {"siglip", "\"projection_size\": 32", "\"projection_size\": 24", GE_EFORMAT,
         "cannot be compared"},
        {"siglip", "\"text_config\": {", "\"text_config\": [], \"was\": {", GE_EFORMAT,
         "text_config"},
        {"siglip", "\"max_position_embeddings\": 16", "\"max_position_embeddings\": 17", GE_EFORMAT,
         "text_model.embeddings.position_embedding.weight is (16,24), the configuration wants "
         "(17,24)"},
        {"siglip", "\"model_type\": \"siglip\"", "\"model_type\": \"siglip_text_model\"",
         GE_EFORMAT,
         "token_embedding.weight"}, /* the class's own defaults, as its settings are not at the top */
        {"roberta", "\"max_position_embeddings\": 50", "\"max_position_embeddings\": 2", GE_EFORMAT,
         "leaves no position"},
        {"roberta", "\"max_position_embeddings\": 50", "\"max_position_embeddings\": 51",
         GE_EFORMAT, "position_embeddings.weight is (50,32)"},
        {"roberta", "\"pad_token_id\": 1", "\"pad_token_id\": 49", GE_EFORMAT,
         "leaves no position"},
        {"roberta", "\"pad_token_id\": 1", "\"pad_token_id\": -1", GE_EFORMAT, "pad_token_id"},
        {"roberta", "\"type_vocab_size\": 1", "\"type_vocab_size\": 2", GE_EFORMAT,
         "token_type_embeddings.weight is (1,32), the configuration wants (2,32)"},
        {"roberta", "\"is_decoder\": false", "\"is_decoder\": true", GE_EUNSUPPORTED, "is_decoder"},
        {"xlm_roberta", "\"num_hidden_layers\": 2", "\"num_hidden_layers\": 3", GE_EFORMAT,
         "encoder.layer.2.attention.self.query.weight is missing"},
        {"mpnet", "\"relative_attention_num_buckets\": 32",
         "\"relative_attention_num_buckets\": 16", GE_EFORMAT, "relative_attention_num_buckets"},
        {"mpnet", "\"relative_attention_num_buckets\": 32",
         "\"relative_attention_num_buckets\": 33", GE_EFORMAT,
         "relative_attention_bias.weight is (32,4), the configuration wants (33,4)"},
        {"mpnet", "\"num_attention_heads\": 4", "\"num_attention_heads\": 2", GE_EFORMAT,
         "the configuration wants (32,2)"},
        {"mpnet", "\"max_position_embeddings\": 202", "\"max_position_embeddings\": 1048576",
         GE_EFORMAT, "position_embeddings"},
        {"siglip_vision", "siglip_vision_model", "siglip2", GE_EUNSUPPORTED, "NaFlex"},
        {"siglip_vision", "\"vision_use_head\": true", "\"vision_use_head\": false",
         GE_EUNSUPPORTED, "vision_use_head"},
        {"siglip_vision", "\"vision_use_head\": true", "\"vision_use_head\": 1", GE_EFORMAT,
         "vision_use_head"},
        {"siglip_vision", "\"image_size\": 23", "\"image_size\": 28", GE_EFORMAT,
         "position_embedding.weight is (16,72), the configuration wants (25,72)"},
        {"siglip_vision", "\"image_size\": 23", "\"image_size\": 24", GE_EFORMAT,
         "pictures of 23x23, the model takes 24x24"},
        {"siglip_vision", "\"patch_size\": 5", "\"patch_size\": 24", GE_EFORMAT, "patch_size"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        copy_golden(cases[i].folder);
        put_edited(cases[i].folder, "config.json", cases[i].from, cases[i].to);
        must_fail(cases[i].want, cases[i].says);
        folder_delete(dir);
    }
}

static void test_missing_files(void **state)
{
    static const char *const files[][2] = {{"clip_quick", "config.json"},
                                           {"clip_quick", "model.safetensors"},
                                           {"clip_quick", "preprocessor_config.json"},
                                           {"clip_quick", "vocab.json"},
                                           {"bert_old", "vocab.txt"},
                                           {"bert_plain", "model-00002-of-00002.safetensors"},
                                           {"xlm_roberta", "pytorch_model-00002-of-00003.bin"},
                                           {"xlm_roberta", "tokenizer.json"},
                                           {"mpnet", "vocab.txt"},
                                           {"siglip", "spiece.model"},
                                           {"dinov2", "preprocessor_config.json"}};

    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        copy_golden(files[i][0]);
        drop(files[i][1]);
        must_fail(GE_ENOENT, "");
        folder_delete(dir);
    }
    dir = folder_new();
    must_fail(GE_ENOENT, "config.json");
    folder_delete(dir);
    dir = ge_strdup("/nonexistent/folder");
    must_fail(GE_ENOENT, "/nonexistent/folder");
    free(dir);
}

/* One tensor's name is another, or what it should be is not to be had. */
static void test_missing_tensors(void **state)
{
    static const struct {
        const char *folder, *from, *to, *says;
    } cases[] = {
        {"dinov2", "embeddings.cls_token", "embeddings.cls_tokem",
         "embeddings.cls_token is missing"},
        {"dinov2", "0.layer_scale1.lambda1", "0.layer_scale1.lambda2", "lambda1 is missing"},
        {"dinov2", "\"layernorm.bias\"", "\"layernorm.bios\"", "layernorm.bias is missing"},
        {"dinov2_registers", "embeddings.register_tokens", "embeddings.register_tokenz",
         "register_tokens is missing"},
        {"siglip_vision", "head.probe", "head.prob3", "vision_model.head.probe is missing"},
        {"siglip_vision", "head.attention.in_proj_bias", "head.attention.in_proj_bios",
         "head.attention.in_proj_bias is missing"},
        {"siglip_vision", "[216,72]", "[72,216]",
         "in_proj_weight is (72,216), the configuration wants (216,72)"},
        {"siglip_vision", "[1,1,72]", "[1,2,36]", "head.probe is (1,2,36)"},
    };
    char *path, *data, *at;
    size_t len;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        path = ge_sprintf("%s/model.safetensors", cases[i].folder);
        read_golden(path, &data, &len);
        at = memmem(data, len, cases[i].from, strlen(cases[i].from));
        assert_non_null(at);
        memcpy(at, cases[i].to, strlen(cases[i].to));
        copy_golden(cases[i].folder);
        folder_put(dir, "model.safetensors", data, len);
        must_fail(GE_EFORMAT, cases[i].says);
        folder_delete(dir);
        free(data);
        free(path);
    }
}

/* DINOv2 takes pictures of the size that the preprocessing gives, as far as there is one. */
static void test_picture_sizes(void **state)
{
    static const struct {
        const char *crop;
        ge_status want;
        const char *says;
    } cases[] = {
        {"{\"height\": 3, \"width\": 300}", GE_EFORMAT, "smaller than a patch of 4"},
        {"{\"height\": 8192, \"width\": 8192}", GE_ELIMIT, "4194304 patches"},
        {"{\"height\": 0, \"width\": 30}", GE_EFORMAT, "crop_size"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *crop = ge_sprintf("\"crop_size\": %s", cases[i].crop);
        copy_golden("dinov2");
        put_edited("dinov2", "preprocessor_config.json",
                   "\"crop_size\": {\"height\": 21, \"width\": 30}", crop);
        must_fail(cases[i].want, cases[i].says);
        folder_delete(dir);
        free(crop);
    }
}

/* What SigLIP's texts are filled with must be there. */
static void test_no_pad(void **state)
{
    static const char *const pads[] = {"\"pad_token\": \"<nowhere>\"", "\"pad_token\": null"};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        copy_golden("siglip");
        put_edited("siglip", "tokenizer_config.json", "\"pad_token\": \"</s>\"", pads[i]);
        must_fail(GE_EFORMAT, "pad_token");
        folder_delete(dir);
    }
}

/* Weights cut short, and with a value that is no number. */
static void test_weights(void **state)
{
    size_t len;
    char *data;

    (void)state;
    read_golden("bert_old/model.safetensors", &data, &len);
    for (size_t cut = 1; cut < len; cut = cut * 3 + 1) {
        copy_golden("bert_old");
        folder_put(dir, "model.safetensors", data, len - cut);
        must_fail(GE_EFORMAT, "model.safetensors");
        folder_delete(dir);
    }
    const float broken[] = {NAN, INFINITY};
    for (size_t i = 0; i < 2; i++) {
        memcpy(data + len - 8, &broken[i], 4);
        copy_golden("bert_old");
        folder_put(dir, "model.safetensors", data, len);
        must_fail(GE_EFORMAT, "not finite");
        folder_delete(dir);
    }
    free(data);
}

/* Finite weights can still overflow: the row is named. */
static void test_overflow(void **state)
{
    struct ge_encoder *e;
    const char *text = "a red circle";
    const float huge = 3e38f;
    size_t len;
    char *data;
    float out[32];

    (void)state;
    read_golden("bert_old/model.safetensors", &data, &len);
    for (size_t i = len - 4000; i < len; i += 4) memcpy(data + i, &huge, 4);
    copy_golden("bert_old");
    folder_put(dir, "model.safetensors", data, len);
    assert_ok(ge_encoder_load(dir, dev, NULL, &e));
    assert_status(ge_encoder_texts(e, &text, 1, true, out, NULL), GE_EFORMAT);
    assert_non_null(strstr(ge_error(), "text 0"));
    ge_encoder_delete(&e);
    folder_delete(dir);
    free(data);
}

static void test_modules(void **state)
{
#define MODULES(more) "[{\"path\":\"\",\"type\":\"a.Transformer\"}" more "]"
    static const struct {
        const char *file, *text;
        ge_status want;
        const char *says;
    } cases[] = {
        {"modules.json", "{}", GE_EFORMAT, "list of modules"},
        {"modules.json", "[]", GE_EFORMAT, "list of modules"},
        {"modules.json", "[{\"type\":5}]", GE_EFORMAT, "list of modules"},
        {"modules.json", "[{\"path\":\"../x\",\"type\":\"a.Transformer\"}]", GE_EFORMAT,
         "out of the folder"},
        {"modules.json", "[{\"path\":\"/etc\",\"type\":\"a.Transformer\"}]", GE_EFORMAT,
         "out of the folder"},
        {"modules.json", MODULES(",{\"path\":\"2\",\"type\":\"a.LSTM\"}"), GE_EUNSUPPORTED, "LSTM"},
        {"modules.json", MODULES(",{\"path\":\"2\",\"type\":\"a.Normalize\"}"), GE_EUNSUPPORTED,
         "Normalize"},
        {"modules.json", MODULES(",{\"path\":\"absent\",\"type\":\"a.Pooling\"}"), GE_ENOENT,
         "absent"},
        {"modules.json", "[{\"path\":\"absent\",\"type\":\"a.Transformer\"}]", GE_ENOENT, "absent"},
        {"1_Pooling/config.json", "{\"pooling_mode\":\"median\"}", GE_EUNSUPPORTED, "median"},
        {"1_Pooling/config.json", "{\"pooling_mode\":7}", GE_EFORMAT, "pooling_mode"},
        {"1_Pooling/config.json", "{\"embedding_dimension\":33}", GE_EFORMAT, "33"},
        {"1_Pooling/config.json", "{\"pooling_mode_cls_token\":\"yes\"}", GE_EFORMAT,
         "pooling_mode_cls_token"},
        {"sentence_bert_config.json", "{\"max_seq_length\":-4}", GE_EFORMAT, "max_seq_length"},
        {"config_sentence_transformers.json", "{\"default_prompt_name\":\"q\"}", GE_EFORMAT,
         "prompt \"q\""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        copy_golden("bert_old");
        if (strchr(cases[i].file, '/') != NULL) drop("1_Pooling");
        folder_put_text(dir, cases[i].file, cases[i].text);
        must_fail(cases[i].want, cases[i].says);
        folder_delete(dir);
    }
#undef MODULES
}

static void test_dense(void **state)
{
    static const struct {
        const char *text;
        ge_status want;
        const char *says;
    } cases[] = {
        {"{\"in_features\":95,\"out_features\":20}", GE_EFORMAT, "95"},
        {"{\"in_features\":96,\"out_features\":21}", GE_EFORMAT, "linear.weight"},
        {"{\"out_features\":20,\"activation_function\":\"my.Own\"}", GE_EUNSUPPORTED, "my.Own"},
        {"{\"out_features\":20,\"use_residual\":true}", GE_EUNSUPPORTED, "residual"},
        {"{\"out_features\":20,\"module_input_name\":\"token_embeddings\"}", GE_EUNSUPPORTED,
         "sentence embedding"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        copy_golden("bert_new");
        drop("2_Dense");
        size_t len;
        char *weights;
        read_golden("bert_new/2_Dense/model.safetensors", &weights, &len);
        folder_put(dir, "2_Dense/model.safetensors", weights, len);
        folder_put_text(dir, "2_Dense/config.json", cases[i].text);
        must_fail(cases[i].want, cases[i].says);
        folder_delete(dir);
        free(weights);
    }
}

static void test_options(void **state)
{
    struct ge_encoder_options integer = {.dtype = GE_I32}, prompt = {.prompt = "nonesuch"};
    struct ge_encoder *e;
    float out[20];

    (void)state;
    assert_status(ge_encoder_load(GOLDEN "clip_quick", dev, &integer, &e), GE_EUNSUPPORTED);
    assert_non_null(strstr(ge_error(), "int32"));
    assert_status(ge_encoder_load(GOLDEN "bert_new", dev, &prompt, &e), GE_EINVAL);
    assert_non_null(strstr(ge_error(), "nonesuch"));
    assert_null(e);
    ge_encoder_delete(&e);
    assert_ok(ge_encoder_load(GOLDEN "clip_quick", dev, NULL, &e));
    assert_ok(ge_encoder_tensors(e, NULL, 0, true, out)); /* nothing asked, nothing done */
    assert_ok(ge_encoder_texts(e, NULL, 0, true, out, NULL));
    ge_encoder_delete(&e);
}

/* Broken pixels give an error, not an embedding. */
static void test_nan_pixels(void **state)
{
    struct ge_encoder *e;
    float *in = ge_calloc(2 * 3 * 30 * 30, sizeof *in), out[40];

    (void)state;
    in[3 * 30 * 30 + 5] = NAN;
    assert_ok(ge_encoder_load(GOLDEN "clip_quick", dev, NULL, &e));
    assert_status(ge_encoder_tensors(e, in, 2, true, out), GE_EFORMAT);
    assert_non_null(strstr(ge_error(), "image 1"));
    ge_encoder_delete(&e);
    free(in);
}

static ge_status load_and_encode(const char *folder)
{
    const char *text = "two blue squares";
    struct ge_encoder *e = NULL;
    float *in = NULL, out[128];
    size_t h, w;
    ge_status rc = ge_encoder_load(folder, dev, NULL, &e);

    if (rc == GE_OK && ge_encoder_has_text(e)) rc = ge_encoder_texts(e, &text, 1, true, out, NULL);
    if (rc == GE_OK && ge_encoder_image_size(e, &h, &w)) {
        in = ge_calloc(3 * h * w, sizeof *in);
        rc = in != NULL ? ge_encoder_tensors(e, in, 1, true, out) : GE_ENOMEM;
    }
    free(in);
    ge_encoder_delete(&e);
    return rc;
}

/* Each allocation of loading and encoding fails once. */
static void test_out_of_memory(void **state)
{
    static const char *const folders[] = {GOLDEN "clip_gelu",        GOLDEN "bert_new",
                                          GOLDEN "dinov2",           GOLDEN "dinov2_swiglu",
                                          GOLDEN "dinov2_registers", GOLDEN "siglip_vision"};

    (void)state;
    for (size_t f = 0; f < sizeof folders / sizeof folders[0]; f++) {
        bool more = true;
        for (uint64_t n = 1; more; n += 1 + n / 16) {
            ge_mem_fail_at(n, 0);
            ge_status rc = load_and_encode(folders[f]);
            ge_mem_fail_at(0, 0);
            more = rc != GE_OK;
            if (more) assert_int_equal(rc, GE_ENOMEM);
        }
    }
}

/* Memory that runs out in the middle of a call: the batch is halved, and no digit changes. */
static void test_short_memory(void **state)
{
    enum { N = 8, EACH = 30 * 30 * 3, DIM = 24 };
    static const char *const text = "two blue squares and a red circle";
    const struct ge_encoder_options opt = {.max_batch = N};
    const uint8_t *pictures[N];
    const char *texts[N];
    static uint8_t bytes[N * EACH];
    static float want[2][N * DIM], got[N * DIM];
    size_t recovered[2] = {0};

    (void)state;
    for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (uint8_t)(i * 7 % 251);
    for (size_t i = 0; i < N; i++) {
        pictures[i] = bytes + i * EACH;
        texts[i] = text + i;
    }
    for (uint64_t n = 0; n < 60; n++) {
        struct ge_encoder *e;
        assert_ok(ge_encoder_load(GOLDEN "clip_gelu", dev, &opt, &e));
        assert_true(ge_encoder_dim(e) <= DIM);
        for (int kind = 0; kind < 2; kind++) {
            ge_mem_fail_at(n, 0);
            ge_status rc = kind == 0 ? ge_encoder_images(e, pictures, N, true, got)
                                     : ge_encoder_texts(e, texts, N, true, got, NULL);
            bool failed_one = n > 0 && !ge_mem_fault_pending();
            ge_mem_fail_at(0, 0);
            if (n == 0) memcpy(want[kind], got, sizeof got);
            if (rc != GE_OK) {
                assert_int_equal(rc, GE_ENOMEM);
                continue;
            }
            assert_memory_equal(got, want[kind], N * ge_encoder_dim(e) * sizeof *got);
            recovered[kind] += failed_one;
        }
        ge_encoder_delete(&e);
    }
    assert_true(recovered[0] > 3 && recovered[1] > 3);
}

static int open_device(void **state)
{
    struct ge_device_options opt = {.threads = 1};

    (void)state;
    return ge_device_register_builtin() != GE_OK || ge_device_open("cpu", &opt, &dev) != GE_OK;
}

static int close_device(void **state)
{
    (void)state;
    ge_device_close(&dev);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_configs),         cmocka_unit_test(test_missing_files),
        cmocka_unit_test(test_missing_tensors), cmocka_unit_test(test_picture_sizes),
        cmocka_unit_test(test_no_pad),          cmocka_unit_test(test_weights),
        cmocka_unit_test(test_overflow),        cmocka_unit_test(test_modules),
        cmocka_unit_test(test_dense),           cmocka_unit_test(test_options),
        cmocka_unit_test(test_nan_pixels),      cmocka_unit_test(test_out_of_memory),
        cmocka_unit_test(test_short_memory),
    };
    return cmocka_run_group_tests(tests, open_device, close_device);
}
