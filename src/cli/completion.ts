import { Argument, type Command } from 'commander';

export function configure(command: Command, whole: () => Promise<Command>): void {
  command
    .addArgument(new Argument('<shell>', 'the shell to complete for').choices(['bash', 'zsh', 'fish']))
    .addHelpText('after', '\nExamples:\n  source <(quorate completion bash)\n  quorate completion fish | source')
    .action(async (shell: 'bash' | 'zsh' | 'fish') => {
      process.stdout.write(scripts[shell](words(await whole())));
    });
}

interface Words {
  readonly name: string;
  readonly summary: string;
  /** Sub-commands and long flags. */
  readonly words: readonly string[];
}

function words(program: Command): Words[] {
  return program.commands.map((command) => ({
    name: command.name(),
    summary: command.description(),
    words: [
      ...command.commands.map((sub) => sub.name()),
      ...command.registeredArguments.flatMap((argument) => argument.argChoices ?? []),
      ...command.options.flatMap((option) => (option.long ? [option.long] : [])),
    ],
  }));
}

const scripts: Record<'bash' | 'zsh' | 'fish', (commands: Words[]) => string> = {
  bash: (commands) => `_quorate() {
  local word="\${COMP_WORDS[COMP_CWORD]}" words
  if [ "$COMP_CWORD" -eq 1 ]; then words="${commands.map(({ name }) => name).join(' ')}"; else
    case "\${COMP_WORDS[1]}" in
${commands.map((command) => `      ${command.name}) words="${command.words.join(' ')}" ;;`).join('\n')}
    esac
  fi
  COMPREPLY=($(compgen -W "$words" -- "$word"))
}
complete -F _quorate quorate
`,
  zsh: (commands) => `#compdef quorate
_quorate() {
  if (( CURRENT == 2 )); then
    local -a commands=(${commands.map(({ name, summary }) => `'${name}:${summary.replaceAll("'", "'\\''")}'`).join(' ')})
    _describe command commands
  else
    case "$words[2]" in
${commands.map((command) => `      ${command.name}) compadd -- ${command.words.join(' ')} ;;`).join('\n')}
    esac
  fi
}
compdef _quorate quorate
`,
  fish: (commands) =>
    `complete -c quorate -f\n${commands
      .flatMap(({ name, summary, words: inner }) => [
        `complete -c quorate -n __fish_use_subcommand -a ${name} -d '${summary.replaceAll("'", "\\'")}'`,
        ...inner.map(
          (word) =>
            `complete -c quorate -n '__fish_seen_subcommand_from ${name}' ${word.startsWith('--') ? `-l ${word.slice(2)}` : `-a ${word}`}`,
        ),
      ])
      .join('\n')}\n`,
};
