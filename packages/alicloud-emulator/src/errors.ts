import type { Answer } from "./call";

/** What the API answers instead of a result; `status` is the HTTP status. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    /** Fields of the answer beyond the usual ones. */
    readonly more: Answer = {},
  ) {
    super(message);
    this.name = "ApiError";
  }
}

/** 404 `Invalid….NotFound`: the provider takes any 404 for "gone". */
export const notFound = (code: string, id: string): ApiError =>
  new ApiError(404, code, `The specified resource ${id} is not found.`);

/** The resource is in a status that does not allow the call; ECS answers 403, VPC 400. */
export const wrongStatus = (code: string, status: string, http: 400 | 403 = 403): ApiError =>
  new ApiError(http, code, `The current status ${status} of the resource does not support this operation.`);

/** Something else still uses the resource. */
export const inUse = (code: string, id: string, by: string): ApiError =>
  new ApiError(400, code, `The specified resource ${id} is still used by ${by}.`);

/** The value of a parameter is refused. */
export const invalid = (code: string, parameter: string, why = "is not valid"): ApiError =>
  new ApiError(400, code, `The specified parameter ${parameter} ${why}.`);
