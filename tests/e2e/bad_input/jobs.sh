#!/bin/bash
# Bad jobs, datasets and answers: refused with a message that names the place.
# jobs.sh PROGRAM SOURCES FOLDER
. "$(dirname "$0")/common.sh"

fresh "a good job"; rows '^even,counting-001,und,.*,ok,' '^even,place-003,gen,.*,ok,'

# ---- job files
fresh "no job";               rm job.json;                      refused job.json
fresh "job is a folder";      rm job.json; mkdir job.json;      refused job.json
fresh "job is a pipe";        rm job.json; mkfifo job.json;     refused job.json
fresh "empty job";            : >job.json;                      refused job.json
fresh "truncated job";        head -c 200 "$base/job.json" >job.json; refused job.json line
fresh "job is a list";        echo '[]' >job.json;              refused job.json object
fresh "text behind the job";  echo '{}' >>job.json;             refused job.json
fresh "deep job";             head -c 200000 /dev/zero | tr '\0' '[' >job.json; refused job.json
fresh "job with a NUL";       printf '{"name": "a\\u0000b"}' >job.json; refused job.json
fresh "job is no UTF-8";      sed -i 's/small/sm\xffll/' job.json; refused job.json
fresh "huge job";             truncate -s 100G job.json;        refused job.json
fresh "name with a slash";    sed -i 's/"small"/"..\/small"/' job.json; refused job.json name
fresh "number for a path";    sed -i 's/"items.jsonl"/7/' job.json; refused job.json dataset.path
fresh "text for a number";    sed -i '2i "runtime": {"threads": "two"},' job.json; refused runtime.threads
fresh "number out of range";  sed -i '2i "runtime": {"threads": -1},' job.json; refused runtime.threads 1024
fresh "infinite number";      sed -i '2i "runtime": {"threads": 1e400},' job.json; refused job.json
fresh "fraction";             sed -i '2i "runtime": {"threads": 1.5},' job.json; refused runtime.threads
fresh "unknown key";          sed -i '2i "datasett": {},' job.json; refused job.json datasett 'dataset'
fresh "unknown inner key";    sed -i 's/"path"/"paht"/' job.json
    refused job.json 'dataset: found unknown key "paht"' '"path"'
fresh "key twice";            sed -i '2i "name": "twice",' job.json; refused job.json name
fresh "no dataset";           sed -i '/"dataset"/d' job.json;   refused job.json dataset
fresh "no systems";           sed -i 's/\[{"name": "even".*\]/[]/' job.json; refused systems
fresh "system twice";         sed -i 's/\[\({"name": "even".*}\)\]/[\1, \1]/' job.json; refused systems even
fresh "unknown encoder";      sed -i 's/"text_text": "sentence"/"text_text": "word"/' job.json; refused word
fresh "unknown rule";         sed -i 's/"alias"/"alibi"/' job.json; refused alibi alias
fresh "unknown metric";       sed -i 's/text_text.reference"/text_text.referense"/' job.json; refused referense
fresh "unknown format";       sed -i 's/"items.jsonl"/"items.jsonl", "format": "xml"/' job.json
    refused format xml manifest
fresh "file that includes itself"; echo '{"$file": "a.json"}' >a.json
    sed -i '2i "runtime": {"$file": "a.json"},' job.json; refused a.json

# ---- command line
fresh "no such option";       call run job.json --set runtime.thread=1; said_all runtime.thread runtime.threads
    [[ $rc == 1 || $rc == 2 ]] || problem "exit code $rc"
fresh "no job named";         call run; [[ $rc == 2 ]] || problem "exit code $rc, wanted 2"
fresh "no such command";      call evaluate; [[ $rc == 2 ]] || problem "exit code $rc, wanted 2"
fresh "output inside a file"; command_fails items.jsonl run job.json --output items.jsonl/x --quiet
fresh "output in /proc";      command_fails /proc run job.json --output /proc/gapeval --quiet
fresh "output is a file";     mkdir out; echo x >out/small; command_fails small run job.json --quiet
fresh "no such item";         command_fails nobody run job.json --set 'dataset.select.items=["nobody"]'
fresh "no such category";     command_fails nothing run job.json --set 'dataset.select.categories=["nothing"]'
fresh "empty selection";      command_fails select run job.json --set 'dataset.select.categories=["place"]' \
    --set 'dataset.select.items=["counting-001"]'
fresh "one item";             call run job.json --limit 1 --quiet; [[ $rc == 0 ]] || problem "exit code $rc"

# ---- datasets
fresh "no dataset file";      rm items.jsonl;                   refused items.jsonl
fresh "dataset is a pipe";    rm items.jsonl; mkfifo items.jsonl; refused items.jsonl
fresh "empty dataset";        : >items.jsonl;                   refused items.jsonl
fresh "header only";          sed -i '2,$d' items.jsonl;        refused items.jsonl
fresh "truncated dataset";    head -c 900 "$base/items.jsonl" >items.jsonl; refused items.jsonl 'line 2'
fresh "id twice";             sed -n 2p "$base/items.jsonl" >>items.jsonl; refused items.jsonl counting-001
fresh "dataset is no UTF-8";  sed -i '3s/"prompt": "/"prompt": "\xc3\x28/' items.jsonl; refused items.jsonl 'line 3'
fresh "other version";        sed -i '1s/"version": 1/"version": 99/' items.jsonl; refused items.jsonl version 99
fresh "id is a number";       sed -i '2s/"counting-001"/1/' items.jsonl; refused items.jsonl 'line 2' id
fresh "no category";          sed -i '2s/"category"/"kategory"/' items.jsonl; refused items.jsonl 'line 2' category
fresh "huge number";          sed -i '2s/"number": 1/"number": 1e999/' items.jsonl; refused items.jsonl 'line 2'
fresh "long number";          sed -i '2s/"number": 1/"number": 99999999999999999999/' items.jsonl
    refused items.jsonl 'line 2'
fresh "answer not a choice";  sed -i '3s/"answer": "[A-D]"/"answer": "Z"/' items.jsonl; refused items.jsonl 'line 3' answer
fresh "wrong type";           sed -i '2s/"tags": \[/"tags": [7, /' items.jsonl; refused items.jsonl 'line 2' tags
fresh "unknown task";         sed -i '2s/"number"/"numeral"/' items.jsonl; refused numeral
fresh "long line";            head -c 20000000 /dev/zero | tr '\0' 'a' >>items.jsonl; refused items.jsonl 'line 6'
fresh "deep item";            head -c 300000 /dev/zero | tr '\0' '[' >>items.jsonl; refused items.jsonl 'line 6'
fresh "a folder for a dataset"; rm items.jsonl; mkdir items.jsonl; refused items.jsonl

# ---- recorded answers
answers=even/answers.jsonl
long_text() { # BYTES
    printf '{"item": "counting-001", "direction": "und", "sample": 1, "text": "'
    head -c "$1" /dev/zero | tr '\0' 'x'
    echo '"}'
}
fresh "no answers file";      rm $answers;                      refused answers.jsonl
fresh "answers are a folder"; rm $answers; mkdir $answers;      refused answers.jsonl
fresh "truncated answers";    truncate -s -20 $answers;         refused answers.jsonl line
fresh "unknown item";         sed -i '1s/counting-001/counting-999/' $answers
    refused answers.jsonl 'line 1' counting-999
fresh "answer twice";         sed -n 1p "$base/$answers" >>$answers; refused answers.jsonl counting-001
fresh "other system";         sed -i '1s/"even"/"odd"/' $answers; refused answers.jsonl 'line 1' odd
fresh "unknown direction";    sed -i '1s/"und"/"up"/' $answers; refused answers.jsonl 'line 1' up
fresh "text and image";       sed -i '1s/"text"/"image": "a.jpg", "text"/' $answers; refused answers.jsonl 'line 1'
fresh "huge sample";          sed -i '1s/"text"/"sample": 1e12, "text"/' $answers; refused answers.jsonl 'line 1' sample
fresh "verdict out of range"; sed -i '1s/"text"/"verdict": 2, "text"/' $answers; refused answers.jsonl 'line 1' verdict
fresh "no answer at all";     : >$answers; rows '^even,counting-001,und,.*,missing,' '^even,place-003,gen,.*,missing,'
fresh "empty text";           sed -i '1s/"text": ".*"/"text": " "/' $answers; rows '^even,counting-001,und,.*,format,'
fresh "null text";            sed -i '1s/"text": ".*"/"text": null/' $answers; rows '^even,counting-001,und,.*,format,'
fresh "long text";            long_text 900000 >>$answers;      rows '^even,counting-001,und,1,.*,ok,'
fresh "huge text";            long_text 3000000 >>$answers;     rows '^even,counting-001,und,1,.*,limit,'
fresh "long path";            sed -i "s/counting-001.jpg/$(printf 'x%.0s' {1..5000})/" $answers
    rows '^even,counting-001,gen,.*,(missing|limit),'
fresh "path through a file";  sed -i 's/counting-001.jpg/&\/x.jpg/' $answers; rows '^even,counting-001,gen,.*,missing,'
fresh "strange text"
    sed -i '1s/"text": ".*"/"text": "\\u202e\\ud83d\\ude00 \\u0301\\u0301"/' $answers; rows '^even,counting-001,und,'
finish
