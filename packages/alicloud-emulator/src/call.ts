import type { Catalogue } from "./catalogue";
import type { Cloud } from "./cloud";
import type { Parameters, Table } from "./parameters";

/** JSON as the APIs answer it; a field that is undefined is left out. */
export type Json = string | number | boolean | null | undefined | readonly Json[] | Answer;
export interface Answer {
  readonly [field: string]: Json;
}

/** Where instances are bought: spot ones run out by themselves. */
export type Market = "spot" | "onDemand";

/** What of the catalogue can be had now. */
export interface Stock {
  /** Whether DescribeAvailableResource offers the type in the zone. */
  offers(zone: string, type: string, market: Market): boolean;
  /** Whether RunInstances finds one; what is offered may have gone meanwhile. */
  canBuy(zone: string, type: string, market: Market): boolean;
  lacksDisk(zone: string, category: string): boolean;
  /** Whether a type, a category of disks or `traffic` is sold without a price of its own. */
  lacksPrice(name: string): boolean;
}

/** What the account pays by. */
export interface Terms {
  /** USD at the international site, CNY at the Chinese one. */
  readonly currency: "USD" | "CNY";
  /** Share of the list price that it does not pay, 0 to 1. */
  readonly discount: number;
}

/** What the account has paid and owes, in its currency. */
export interface Finances {
  /** What is left to pay with. */
  readonly balance: number;
  /** What was billed, by billing cycle (YYYY-MM) and product. */
  readonly bills: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

/** One request whose signature, permission and parameters are right. */
export interface Call {
  readonly parameters: Parameters;
  readonly region: string;
  readonly cloud: Cloud;
  readonly catalogue: Catalogue;
  readonly stock: Stock;
  readonly terms: Terms;
  readonly finances: Finances;
}

/** One call of an API: its parameters, and what it does to the account. */
export interface Action {
  readonly parameters: Table;
  /** What RAM calls the right to do it. @default product and name of the action */
  readonly right?: string;
  readonly handle: (call: Call) => Answer | Promise<Answer>;
}

export type Actions = Readonly<Record<string, Action>>;
