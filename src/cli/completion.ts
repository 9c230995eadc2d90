/** `setway completion`: scripts that complete command lines in a shell, made from the program's own tree of commands. */
import { Argument, type Command } from "commander";
import { bashCompletion } from "./completion-bash.ts";
import { fishCompletion } from "./completion-fish.ts";
import { zshCompletion } from "./completion-zsh.ts";
import type { CommandOutline } from "./outline.ts";
import { programOutline, type Session } from "./program.ts";

const SHELLS: Readonly<Record<string, (program: CommandOutline) => string>> = {
  bash: bashCompletion,
  zsh: zshCompletion,
  fish: fishCompletion,
};

export function addCompletion(program: Command, session: Session): void {
  program
    .command("completion")
    .description("print a script that completes setway's command lines in a shell")
    .addArgument(new Argument("<shell>", "which shell").choices(Object.keys(SHELLS)))
    .addHelpText(
      "after",
      `
bash: source <(setway completion bash) in ~/.bashrc
zsh:  source <(setway completion zsh) in ~/.zshrc, after compinit; or a file _setway in $fpath
fish: setway completion fish > ~/.config/fish/completions/setway.fish

Example:
  $ setway completion bash > ~/.local/share/bash-completion/completions/setway`,
    )
    .action(
      session.action(async (shell: string) => {
        const script = SHELLS[shell] as (typeof SHELLS)[string];
        await session.terminal.stdout.write(script(await programOutline()));
        return 0;
      }),
    );
}
