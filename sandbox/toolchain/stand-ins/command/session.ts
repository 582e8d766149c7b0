import type { Client, ClientChannel } from "ssh2";

type Reply = (failure: unknown) => void;

/** The parts of ssh2 that know whether the server took a variable; its own exec does not ask. */
interface SshInternals {
  readonly _chanMgr: { add(opened: (error: Error | undefined, channel: ClientChannel) => void): number };
  readonly _protocol: {
    session(channel: number, window: number, packet: number): void;
    env(channel: number, name: string, value: string, wantReply: true): void;
    exec(channel: number, command: string, wantReply: true): void;
  };
}

interface ChannelInternals {
  readonly _callbacks: Reply[];
  readonly outgoing: { readonly id: number };
}

function hasInternals(client: Client): client is Client & SshInternals {
  return "_chanMgr" in client && "_protocol" in client;
}

function hasReplies(channel: ClientChannel): channel is ClientChannel & ChannelInternals {
  return "_callbacks" in channel && "outgoing" in channel;
}

/** A session on which variables can be set, with the server's answer, before the command starts. */
export interface Session {
  /** Resolves to false when the server refuses the variable. */
  setenv(name: string, value: string): Promise<boolean>;
  exec(command: string): Promise<ClientChannel>;
}

/** Opens a session that can set variables. */
export function openSession(client: Client): Promise<Session> {
  if (!hasInternals(client)) throw new Error("This version of ssh2 cannot set variables; use the pinned one.");
  const protocol = client._protocol;
  return new Promise((resolve, reject) => {
    const opened = (error: Error | undefined, channel: ClientChannel): void => {
      if (error) reject(error);
      else if (!hasReplies(channel))
        reject(new Error("This version of ssh2 cannot set variables; use the pinned one."));
      else {
        const ask = (send: () => void): Promise<boolean> =>
          new Promise((answer) => {
            channel._callbacks.push((failure) => {
              answer(!failure);
            });
            send();
          });
        const { id } = channel.outgoing;
        resolve({
          setenv: (name, value) =>
            ask(() => {
              protocol.env(id, name, value, true);
            }),
          exec: async (command) => {
            const started = await ask(() => {
              protocol.exec(id, command, true);
            });
            if (!started) throw new Error("ssh: command failed");
            return channel;
          },
        });
      }
    };
    const channel = client._chanMgr.add(Object.assign(opened, { type: "session" }));
    protocol.session(channel, 2 * 1024 * 1024, 32 * 1024);
  });
}
