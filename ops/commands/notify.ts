import { notifierName } from "../../components/notify/notifier-release";
import { onHost } from "../host";
import { type Answer, answer } from "../shapes";
import { collected } from "../ssh";
import { OpsError, type StackChoice } from "../stack";
import { harmless } from "../terminal";

/** Runs a command of the notifier in its container. The addresses are in a file there, and in no word of it. */
function inNotifier(choice: StackChoice, word: "status" | "test"): Promise<Notifier> {
  return onHost(choice, async (ssh, { operations }) => {
    if (!operations.stacks.includes(notifierName))
      throw new OpsError(
        "This stack has no notifier: pulumi config set --secret notify '[\"ntfys://…\"]' && pulumi up",
      );
    const script = `exec docker compose --project-name "cloudcode-$1" exec --no-TTY notifier python -m notify "$2"`;
    const { exitCode, stdout } = await collected((sinks) =>
      ssh.attach(false, script, [notifierName, word], { stdout: sinks.stdout }),
    );
    const lines = harmless(stdout).trimEnd().split("\n");
    return { exitCode, answer: answer(`notify ${word}`, { lines }, lines.join("\n")) };
  });
}

/** What the notifier said, and the exit code: 1 where an address did not take a message. */
export interface Notifier {
  readonly answer: Answer;
  readonly exitCode: number;
}

/** What came of the last message to each address. */
export const notifierState = (choice: StackChoice) => inNotifier(choice, "status");

/** Sends a message to each address, and says who took it. */
export const testNotifier = (choice: StackChoice) => inNotifier(choice, "test");
