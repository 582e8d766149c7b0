import * as alicloud from "@pulumi/alicloud";
import type * as pulumi from "@pulumi/pulumi";
import { OperatorError } from "../../operator-error";

/** Opens the instance's IPv6 address to the internet, paid by traffic, and returns it. */
export function publicIpv6(
  name: string,
  ipv6GatewayId: pulumi.Input<string>,
  instance: alicloud.ecs.Instance,
  bandwidthMbps: number,
  opts: pulumi.CustomResourceOptions,
): pulumi.Output<string> {
  const found = alicloud.vpc
    .getIpv6AddressesOutput({ associatedInstanceId: instance.id }, opts)
    .addresses.apply(([address]) => {
      if (address === undefined)
        throw new OperatorError("the instance has no IPv6 address; is IPv6 on in its vSwitch?");
      return address;
    });
  new alicloud.vpc.Ipv6InternetBandwidth(
    name,
    {
      ipv6GatewayId,
      ipv6AddressId: found.apply(({ id }) => id),
      bandwidth: bandwidthMbps,
      internetChargeType: "PayByTraffic",
    },
    opts,
  );
  return found.apply(({ ipv6Address }) => ipv6Address);
}
