export interface Tree {
  name: string;
  description: string;
  options: string[];
  commands: Tree[];
}

export function completionScript(shell: 'bash' | 'zsh' | 'fish', tree: Tree): string {
  return { bash, zsh, fish }[shell](tree);
}

/** Commands that take files. */
const OF_FILES = ['upload', 'estimate', 'check-stream', 'presets set', 'presets diff'];

/** Words by the command that they follow: `''` for the top, `collections`, `collections create`. */
function wordsByPath(tree: Tree): [string, string[]][] {
  const walk = (command: Tree, path: string): [string, string[]][] => [
    [path, [...command.commands.map(({ name }) => name), ...command.options, ...(path === '' ? [] : tree.options)]],
    ...command.commands.flatMap((child) => walk(child, path ? `${path} ${child.name}` : child.name)),
  ];
  return walk(tree, '');
}

function bash(tree: Tree): string {
  const cases = wordsByPath(tree).map(([path, words]) => `    '${path}') words='${words.join(' ')}' ;;`);
  return `_${tree.name}() {
  local current="\${COMP_WORDS[COMP_CWORD]}" path='' word words=''
  for word in "\${COMP_WORDS[@]:1:$((COMP_CWORD-1))}"; do
    case "$word" in -*) ;; *) _${tree.name}_known "\${path:+$path }$word" && path="\${path:+$path }$word" ;; esac
  done
  case "$path" in
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  # Names may have spaces.
  case "$path" in ${OF_FILES.map((path) => `'${path}'`).join('|')})
    [[ $current != -* ]] && { local IFS=$'\\n'; COMPREPLY=($(compgen -f -- "$current")); } ;;
  esac
}
_${tree.name}_known() {
  case "$1" in ${pathsOf(tree)
    .map((path) => `'${path}'`)
    .join('|')}) return 0 ;; *) return 1 ;; esac
}
complete -o default -o filenames -F _${tree.name} ${tree.name}
`;
}

/** zsh runs bash's completions through its own compatibility layer, which requires that its own completions are set up. */
function zsh(tree: Tree): string {
  const setUp = '(( $+functions[compdef] )) || { autoload -Uz compinit && compinit }';
  return `${setUp}\nautoload -U +X bashcompinit && bashcompinit\n${bash(tree)}`;
}

function fish(tree: Tree): string {
  const quote = (text: string) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
  const lines = (command: Tree, path: string[]): string[] => {
    const condition =
      path.length === 0
        ? '__fish_use_subcommand'
        : path.map((name) => `__fish_seen_subcommand_from ${name}`).join('; and ');
    return [
      ...command.commands.map(
        (child) => `complete -c ${tree.name} -f -n ${quote(condition)} -a ${child.name} -d ${quote(child.description)}`,
      ),
      ...command.options.map((flag) => {
        const option = flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`;
        return `complete -c ${tree.name} -n ${quote(condition)} ${option}`;
      }),
      ...command.commands.flatMap((child) => lines(child, [...path, child.name])),
    ];
  };
  const files = OF_FILES.map((path) => {
    const condition = path
      .split(' ')
      .map((name) => `__fish_seen_subcommand_from ${name}`)
      .join('; and ');
    return `complete -c ${tree.name} -n ${quote(condition)} -F`;
  });
  return `${[...lines(tree, []), ...files].join('\n')}\n`;
}

function pathsOf(tree: Tree): string[] {
  return wordsByPath(tree)
    .map(([path]) => path)
    .filter(Boolean);
}
