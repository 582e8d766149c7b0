import { connect } from "node:net";
import { run, until } from "../../cli/run";

/** Resolves once an SSH server answers at that address, within a minute; throws with the container's last words otherwise. */
export async function sshAnswers(address: string, container: string): Promise<void> {
  await until(
    60,
    async () => (await greets(address)) || undefined,
    async () => {
      const { stdout } = await run("docker", ["logs", "--tail", "15", container]).catch(() => ({ stdout: "" }));
      return `No SSH server answers at ${address}:22. If Docker runs in a virtual machine, its containers cannot be reached from here. ${stdout}`;
    },
  );
}

/** Whether something at port 22 introduces itself as SSH. */
function greets(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port: 22, timeout: 2_000 });
    const done = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once("data", (greeting) => {
      done(greeting.toString().startsWith("SSH-"));
    });
    socket.once("timeout", () => {
      done(false);
    });
    socket.once("error", () => {
      done(false);
    });
    socket.once("close", () => {
      done(false);
    });
  });
}
