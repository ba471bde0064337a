import { UsageError } from './failure.js';
import { nearest } from './nearest.js';
import { print } from './printable.js';

const shells = ['bash', 'zsh', 'fish'] as const;

export const usage = `usage: webgpu-ctc completion ${shells.join('|')}`;
export const help = `${usage}

A script for the shell that completes commands, options and files. For bash, in ~/.bashrc:

  source <(webgpu-ctc completion bash)`;

/** Options of each command as its help lists them: so that there is one list of them. */
export function completionOf(commands: ReadonlyMap<string, { readonly help: string }>) {
  const optionsOf = ({ help }: { readonly help: string }) =>
    [...new Set(help.match(/--[a-z][a-z-]*/g) ?? [])].sort();
  return async (argv: string[]): Promise<number> => {
    const [shell, ...more] = argv;
    if (!shells.includes(shell as 'bash') || more.length > 0) {
      const meant = nearest(shell ?? '', shells);
      const hint = meant ? `; did you mean ${meant}?` : '';
      throw new UsageError(
        `completion: expected ${shells.join(', ')}, got ${argv.join(' ') || 'none'}${hint}`,
      );
    }
    print(
      scripts[shell as 'bash']([...commands].map(([name, command]) => [name, optionsOf(command)] as const)),
    );
    return 0;
  };
}

type Completions = readonly (readonly [name: string, options: readonly string[]])[];

const scripts: Record<(typeof shells)[number], (commands: Completions) => string> = {
  bash: (commands) => `_webgpu_ctc() {
  local word="\${COMP_WORDS[COMP_CWORD]}" words=""
  case "\${COMP_WORDS[1]}" in
${commands.map(([name, options]) => `    ${name}) words="${options.join(' ')}" ;;`).join('\n')}
  esac
  if [ "$COMP_CWORD" -eq 1 ]; then words="${commands.map(([name]) => name).join(' ')} --help --version"
  elif [[ "$word" != -* ]]; then COMPREPLY=($(compgen -f -- "$word")); return; fi
  COMPREPLY=($(compgen -W "$words" -- "$word"))
}
complete -o filenames -F _webgpu_ctc webgpu-ctc`,
  zsh: (commands) => `#compdef webgpu-ctc
_webgpu_ctc() {
  if (( CURRENT == 2 )); then compadd ${commands.map(([name]) => name).join(' ')} -- --help --version; return; fi
  case "$words[2]" in
${commands.map(([name, options]) => `    ${name}) [[ "$PREFIX" == -* ]] && compadd -- ${options.join(' ')} || _files ;;`).join('\n')}
  esac
}
compdef _webgpu_ctc webgpu-ctc`,
  fish: (commands) =>
    [
      `complete -c webgpu-ctc -n __fish_use_subcommand -f -a '${commands.map(([name]) => name).join(' ')}'`,
      ...commands.flatMap(([name, options]) =>
        options.map(
          (option) => `complete -c webgpu-ctc -n '__fish_seen_subcommand_from ${name}' -l ${option.slice(2)}`,
        ),
      ),
    ].join('\n'),
};
