# Stand-in for CaseCheck's policy: users make activities and list them, administrators also list users.
package casecheck.authz

default allow := false

allow if input.action == "activity:list"

allow if {
	input.action == "activity:create"
	input.subject.role in ["USER", "ADMIN"]
}

allow if {
	input.action == "user:list"
	input.subject.role == "ADMIN"
}

response := {"allow": allow, "reasons": []}
