# Stand-in for CaseCheck's policy: users read, administrators also write.
package casecheck.authz

default allow := false

allow if input.action == "activity:list"

allow if {
	input.action == "activity:create"
	input.subject.role == "ADMIN"
}

response := {"allow": allow, "reasons": []}
