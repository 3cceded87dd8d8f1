/* Writes samples.csv of the sample run to stdout, for csv_check.py. */
#include <stdio.h>

#include "report/report.h"
#include "sample.h"

int main(void)
{
    struct ge_run run = sample_run();
    struct ge_buf out;
    ge_buf_init(&out, 1 << 20);
    if (ge_report_csv(&run, &out) != GE_OK) return 1;
    size_t written = fwrite(out.data, 1, out.len, stdout);
    bool whole = written == out.len;
    ge_buf_free(&out);
    return whole ? 0 : 1;
}
