import { notifierName } from "../../components/notify/notifier-release";
import { onHost } from "../host";
import { OpsError, type StackChoice } from "../stack";

/** Runs a command of the notifier in its container. The addresses are in a file there, and in no word of it. */
function inNotifier(choice: StackChoice, word: "status" | "test"): Promise<number> {
  return onHost(choice, (ssh, { operations }) => {
    if (!operations.stacks.includes(notifierName))
      throw new OpsError(
        "This stack has no notifier: pulumi config set --secret notify '[\"ntfys://…\"]' && pulumi up",
      );
    const script = `exec docker compose --project-name "cloudcode-$1" exec --no-TTY notifier python -m notify "$2"`;
    return ssh.attach(false, script, [notifierName, word]);
  });
}

/** Prints what came of the last message to each address. */
export const notifierState = (choice: StackChoice) => inNotifier(choice, "status");

/** Sends a message to each address, and prints who took it; the exit code is 1 where one did not. */
export const testNotifier = (choice: StackChoice) => inNotifier(choice, "test");
