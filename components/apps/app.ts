import type * as pulumi from "@pulumi/pulumi";
import type { TunnelRequest } from "../cloudflare/tunnel";
import type { Images, SourceName, Sources } from "../images";
import type { MirrorOverrides, Mirrors } from "../mirrors";
import type { Route } from "../routes";
import type { PlainValues, Section, Setting, Values } from "../settings/setting";
import type { Problem } from "../settings/problem";
import type { ReleaseSource } from "../stack/release";

/** A ComposeStack a person opens, before any resource of it exists. */
export interface App {
  /** Names the stack, its compose project and its folder on the host. */
  readonly name: string;
  readonly routes: readonly Route[];
  /** @param domain the stack's, which may be known only once the host has its address */
  readonly release: (domain: string) => ReleaseSource;
  /** `secrets.NAME` of its templates. */
  readonly secrets: Readonly<Record<string, pulumi.Input<string>>>;
  /**
   * More of them, made once and kept in state: number of letters and digits by name. They are made again when the App was
   * switched off and on again, so its data must not depend on them.
   */
  readonly generated?: Readonly<Record<string, number>>;
  /**
   * Secrets that it has in common with another App, such as the key that one asks the other with: the name that both know, by the
   * App's own name for it. Made once and kept in state. @default none
   */
  readonly shared?: Readonly<Record<string, string>>;
  /** Secrets that the edge alone gets, for the `models` of its Routes: as in `secrets` and `shared`. @default none */
  readonly edge?: {
    readonly secrets: Readonly<Record<string, pulumi.Input<string>>>;
    readonly shared: Readonly<Record<string, string>>;
  };
  /** A tunnel to be made for it; its token becomes the secret `tunnelToken`. */
  readonly tunnel?: TunnelRequest;
  /** Its part on each worker that it asks for. @default it needs no workers */
  readonly worker?: WorkerRelease;
  /**
   * Whether its data may be in use on one host at a time only, so that a restore on another host stops it on the former first. Telegram
   * ends a session for good that is used at two places at once; so do providers with a refresh token that is used twice. @default false
   */
  readonly onlyOnce?: boolean;
  /**
   * Its first Route's server has sessions that the notifier listens to: which of the two forms its events have, and most that its models may
   * cost in a month, in USD. @default none
   */
  readonly sessions?: { readonly major: 1 | 2; readonly monthlyLimitUsd?: number | undefined };
  /** A login of the App's own: who, and the name of the secret. */
  readonly login?: { readonly username: string; readonly secret: string };
}

/** An App's part on a worker: a machine next to the host that runs some of its work. */
export interface WorkerRelease extends Pick<ReleaseSource, "template" | "values"> {
  /**
   * Script of the App on the host. Its words are `admit NAME ADDRESS`, which prints the token of the membership, `token NAME`, which
   * prints it again, and `dismiss NAME`, which drains the worker and forgets it.
   */
  readonly members: string;
  /** Script of the App on the worker that takes its part off the machine; with the word `delete-data` its data too. */
  readonly uninstall: string;
}

/** The settings that say which workers an App asks for, and what its firewall must let through. */
export interface WorkerSettingKeys<S extends Section> {
  /** Number of machines that the target alicloud makes. */
  readonly count: PlainKeyOf<S, number>;
  /** Their instance type. */
  readonly instanceType: PlainKeyOf<S, string>;
  /** Machines of the target existing, each a line of ssh-keyscan. */
  readonly hosts: PlainKeyOf<S, readonly string[]>;
  readonly openings: WorkerOpenings;
}

/** Ports between the machines of a stack, such as `TCP 6443`. */
export interface WorkerOpenings {
  /** On the host, for each worker. */
  readonly onHost: string;
  /** On every machine, for all others. */
  readonly between: string;
}

/** Networks of an App that nothing else of the stack may use, also while the App is switched off. */
export interface ReservedNetworks {
  /** As a fault names them. */
  readonly title: string;
  /** In CIDR notation. */
  readonly cidrs: readonly string[];
}

/** What every App may use. */
export interface AppContext {
  /** Image references by name. */
  readonly images: Images;
  /** Repository and commit of what is built on the host, by name. */
  readonly sources: Sources;
  /** From where its images' builds download; undefined: from where each thing is published. */
  readonly mirrors: Mirrors | undefined;
  /** Time zone of the containers, as in tz's database. */
  readonly timeZone: string;
  /** Mirrors of Docker Hub. */
  readonly registryMirrors: readonly string[];
  /** Address of an `existing` host. */
  readonly hostAddress: string | undefined;
  /** The donation site's model proxy. */
  readonly modelProxy: {
    readonly subdomain: string;
    /** Apps that use it, each with a key of its own. */
    readonly clients: readonly string[];
  };
  /** Most sandboxes that an agent of another App may have at a time. */
  readonly agentSandboxes: number;
}

/** What the rules of an App may ask of the rest of the configuration; undefined where that is at fault itself. */
export interface StackValues {
  readonly target: "alicloud" | "existing" | undefined;
  readonly domain: string | undefined;
  readonly instanceTypes: readonly string[] | undefined;
  readonly hostAddress: string | undefined;
  readonly dockerAddressPool: string | undefined;
  readonly donationEnabled: boolean | undefined;
  readonly lwsandboxEnabled: boolean | undefined;
  readonly opencodeEnabled: boolean | undefined;
  readonly opencodeSandboxes: number | undefined;
  readonly network: "world" | "mainland" | undefined;
  readonly mirrors: MirrorOverrides | undefined;
  readonly sources: Partial<Record<SourceName, string>> | undefined;
  /** Given: there is a notifier. */
  readonly notify: string | undefined;
}

/** Keys of a section whose values are of one type. */
type KeyOf<S extends Section, T> = { [K in keyof S]: S[K] extends Setting<T> ? K : never }[keyof S] & string;

/** The same without secrets. */
type PlainKeyOf<S extends Section, T> = {
  [K in keyof S]: S[K] extends { readonly secret: true } ? never : S[K] extends Setting<T> ? K : never;
}[keyof S] &
  string;

/** Everything the program knows of one kind of App. */
export interface AppKind<S extends Section> {
  readonly name: App["name"];
  readonly settings: S;
  /** The key of its switch. */
  readonly enabled: KeyOf<S, boolean>;
  /** Keys of its subdomains, which no other App may have. */
  readonly subdomains: readonly KeyOf<S, string>[];
  /** Subdomains that follow from its settings, each with the key that they come from. @default none */
  readonly moreSubdomains?: (
    values: PlainValues<S>,
  ) => readonly { readonly key: keyof S & string; readonly subdomain: string }[];
  /** @default it has no workers */
  readonly workers?: WorkerSettingKeys<S>;
  /** @default none */
  readonly reserved?: ReservedNetworks;
  /** Problems between its settings, and with the rest; asked only while the App is switched on. */
  readonly problems: (values: PlainValues<S>, stack: StackValues) => readonly Problem[];
  /** What works, but should not stay so, each with the key that ends it; asked only while the App is switched on. @default nothing */
  readonly warnings?: (values: Values<S>, context: Pick<AppContext, "images" | "mirrors">) => readonly Problem[];
  /** Why the sign-in portal lets nobody in to it: "is an App that …". @default it is behind the portal */
  readonly outsidePortal?: (values: PlainValues<S>) => string | undefined;
  /** Its App but for the name. */
  readonly app: (values: Values<S>, context: AppContext) => Omit<App, "name">;
}

/** Infers the section of an {@link AppKind}. */
export function appKind<S extends Section>(kind: AppKind<S>): AppKind<S> {
  return kind;
}
