/* rheo completions: a script for the shell, from the tables of commands and options. */
#include "cli/cli.h"

static void add_words(rh_buf *b, const rh_option *o) {
    for (; o && o->name; o++) {
        rh_buf_printf(b, " --%s", o->name);
        if (o->letter) rh_buf_printf(b, " -%c", o->letter);
    }
}

static rheo_status run(rh_cli *cli) {
    rh_buf b = { 0 };
    if (strcmp(cli->operand[0], "bash") != 0)
        return rh_cli_usage(cli, "only bash is known", "there are no completions for '%.40s'", cli->operand[0]);
    rh_buf_puts(&b, "_rheo() {\n"
                    "    local word=${COMP_WORDS[COMP_CWORD]} command= words i\n"
                    "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
                    "        case ${COMP_WORDS[i]} in -*) ;; *) command=${COMP_WORDS[i]}; break ;; esac\n"
                    "    done\n"
                    "    case $command in\n"
                    "    '') words='help");
    for (int i = 0; rh_command_at(i); i++) rh_buf_printf(&b, " %s", rh_command_at(i)->name);
    add_words(&b, RH_GLOBAL_OPTIONS);
    rh_buf_puts(&b, "' ;;\n");
    for (int i = 0; rh_command_at(i); i++) {
        rh_buf_printf(&b, "    %s) words='", rh_command_at(i)->name);
        add_words(&b, rh_command_at(i)->options);
        add_words(&b, RH_GLOBAL_OPTIONS);
        rh_buf_puts(&b, "' ;;\n");
    }
    rh_buf_puts(&b,
                "    *) words= ;;\n"
                "    esac\n"
                "    COMPREPLY=()\n"
                "    if [[ -z $command || $word == -* ]]; then\n"
                "        while IFS= read -r i; do COMPREPLY+=(\"$i\"); done < <(compgen -W \"$words\" -- \"$word\")\n"
                "    fi\n"
                "}\n"
                "complete -o default -F _rheo rheo\n");
    return rh_cli_write(cli, &b);
}

const rh_command rh_cmd_completions = {
    .name = "completions",
    .summary = "print a script that completes commands and options in the shell",
    .usage = "bash",
    .examples = "  source <(rheo completions bash)\n",
    .min_operand = 1,
    .max_operand = 1,
    .run = run,
};
