"""What guides for Alibaba Cloud's Python SDKs begin with: a balancer with the core SDK, instances with the newer one.

Standard input is a JSON object: port, accessKeyId, accessKeySecret. Prints a JSON object of what the cloud answered.
"""
import json, sys

from alibabacloud_ecs20140526.client import Client as EcsClient
from alibabacloud_ecs20140526.models import DescribeInstancesRequest
from alibabacloud_tea_openapi.models import Config
from aliyunsdkcore.acs_exception.exceptions import ServerException
from aliyunsdkcore.client import AcsClient
from aliyunsdkslb.request.v20140515.CreateLoadBalancerRequest import CreateLoadBalancerRequest
from aliyunsdkslb.request.v20140515.DeleteLoadBalancerRequest import DeleteLoadBalancerRequest
from aliyunsdkslb.request.v20140515.DescribeLoadBalancerAttributeRequest import DescribeLoadBalancerAttributeRequest

settings = json.load(sys.stdin)
endpoint = f"127.0.0.1:{settings['port']}"
region = "cn-hangzhou"
client = AcsClient(settings["accessKeyId"], settings["accessKeySecret"], region)


def ask(request, **parameters):
    request.set_accept_format("json")
    request.set_endpoint(endpoint)
    for name, value in parameters.items():
        getattr(request, f"set_{name}")(value)
    return json.loads(client.do_action_with_exception(request))


made = ask(
    CreateLoadBalancerRequest(),
    LoadBalancerName="from-a-guide",
    AddressType="internet",
    InternetChargeType="paybytraffic",
)
balancer = made["LoadBalancerId"]
try:
    found = ask(DescribeLoadBalancerAttributeRequest(), LoadBalancerId=balancer)
finally:
    ask(DeleteLoadBalancerRequest(), LoadBalancerId=balancer)
try:
    ask(DescribeLoadBalancerAttributeRequest(), LoadBalancerId=balancer)
    gone = "still there"
except ServerException as error:
    gone = error.get_error_code()

ecs = EcsClient(
    Config(
        access_key_id=settings["accessKeyId"],
        access_key_secret=settings["accessKeySecret"],
        endpoint=endpoint,
        protocol="http",
        region_id=region,
    )
)
instances, token = [], None
while True:
    page = ecs.describe_instances(DescribeInstancesRequest(region_id=region, max_results=10, next_token=token)).body
    instances += [instance.instance_name for instance in page.instances.instance]
    token = page.next_token
    if not token:
        break

print(
    json.dumps(
        {
            "address": made["Address"],
            "status": found["LoadBalancerStatus"],
            "charge": found["InternetChargeType"],
            "gone": gone,
            "instances": instances,
        }
    )
)
