package examples

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What the manifest uses of Kubernetes' types.
type (
	labels     map[string]string
	objectMeta struct {
		Name                string
		Labels, Annotations labels
	}
	selector struct {
		MatchLabels labels `yaml:"matchLabels"`
	}
	object[Spec any] struct {
		APIVersion string `yaml:"apiVersion"`
		Kind       string
		Metadata   objectMeta
		Spec       Spec
	}
	deployment struct {
		Selector selector
		Strategy struct {
			RollingUpdate struct {
				MaxUnavailable int `yaml:"maxUnavailable"`
				MaxSurge       int `yaml:"maxSurge"`
			} `yaml:"rollingUpdate"`
		}
		Template struct {
			Metadata objectMeta
			Spec     podSpec
		}
	}
	podSpec struct {
		AutomountServiceAccountToken  bool `yaml:"automountServiceAccountToken"`
		TerminationGracePeriodSeconds int  `yaml:"terminationGracePeriodSeconds"`
		SecurityContext               struct {
			RunAsNonRoot   bool                  `yaml:"runAsNonRoot"`
			RunAsUser      int                   `yaml:"runAsUser"`
			RunAsGroup     int                   `yaml:"runAsGroup"`
			FSGroup        int                   `yaml:"fsGroup"`
			SeccompProfile struct{ Type string } `yaml:"seccompProfile"`
		} `yaml:"securityContext"`
		Containers []container
		Volumes    []struct {
			Name   string
			Secret *struct {
				SecretName  string `yaml:"secretName"`
				DefaultMode int    `yaml:"defaultMode"`
			}
			EmptyDir *struct {
				SizeLimit string `yaml:"sizeLimit"`
			} `yaml:"emptyDir"`
		}
	}
	container struct {
		Name, Image string
		Args        []string
		Ports       []struct {
			Name          string
			ContainerPort int `yaml:"containerPort"`
		}
		Env     []struct{ Name, Value string }
		EnvFrom []struct {
			SecretRef struct {
				Name     string
				Optional bool
			} `yaml:"secretRef"`
		} `yaml:"envFrom"`
		StartupProbe   probe `yaml:"startupProbe"`
		LivenessProbe  probe `yaml:"livenessProbe"`
		ReadinessProbe probe `yaml:"readinessProbe"`
		Lifecycle      struct {
			PreStop struct{ Exec struct{ Command []string } } `yaml:"preStop"`
		}
		Resources       struct{ Requests, Limits labels }
		SecurityContext struct {
			AllowPrivilegeEscalation bool `yaml:"allowPrivilegeEscalation"`
			ReadOnlyRootFilesystem   bool `yaml:"readOnlyRootFilesystem"`
			Capabilities             struct{ Drop []string }
		} `yaml:"securityContext"`
		VolumeMounts []struct {
			Name      string
			MountPath string `yaml:"mountPath"`
			ReadOnly  bool   `yaml:"readOnly"`
		} `yaml:"volumeMounts"`
	}
	probe struct {
		HTTPGet          struct{ Path, Port string } `yaml:"httpGet"`
		PeriodSeconds    int                         `yaml:"periodSeconds"`
		TimeoutSeconds   int                         `yaml:"timeoutSeconds"`
		FailureThreshold int                         `yaml:"failureThreshold"`
	}
	service struct {
		Selector labels
		Ports    []struct {
			Name       string
			Port       int
			TargetPort string `yaml:"targetPort"`
		}
	}
	networkPolicy struct {
		PodSelector selector `yaml:"podSelector"`
		PolicyTypes []string `yaml:"policyTypes"`
		Ingress     []struct {
			Ports []struct{ Port string }
			From  []struct {
				NamespaceSelector selector `yaml:"namespaceSelector"`
			}
		}
	}
	disruptionBudget struct {
		MaxUnavailable int `yaml:"maxUnavailable"`
		Selector       selector
	}
	autoscaler struct {
		ScaleTargetRef struct {
			APIVersion string `yaml:"apiVersion"`
			Kind, Name string
		} `yaml:"scaleTargetRef"`
		MinReplicas int `yaml:"minReplicas"`
		MaxReplicas int `yaml:"maxReplicas"`
		Metrics     []struct {
			Type string
			Pods struct {
				Metric struct{ Name string }
				Target struct {
					Type         string
					AverageValue string `yaml:"averageValue"`
				}
			}
			Resource struct {
				Name   string
				Target struct {
					Type               string
					AverageUtilization int `yaml:"averageUtilization"`
				}
			}
		}
		Behavior struct {
			ScaleDown struct {
				StabilizationWindowSeconds int `yaml:"stabilizationWindowSeconds"`
			} `yaml:"scaleDown"`
		}
	}
)

// The parts of the manifest fit each other, the server and the image.
func TestKubernetes(t *testing.T) {
	t.Parallel()
	manifest := read(t, "deploy/kubernetes.yaml")
	documents := strings.Split(manifest, "\n---\n")
	require.Len(t, documents, 5)
	var app object[deployment]
	var front object[service]
	var policy object[networkPolicy]
	var budget object[disruptionBudget]
	var scaling object[autoscaler]
	strict(t, []byte(documents[0]), &app)
	strict(t, []byte(documents[1]), &front)
	strict(t, []byte(documents[2]), &policy)
	strict(t, []byte(documents[3]), &budget)
	strict(t, []byte(documents[4]), &scaling)

	pod := app.Spec.Template
	assert.Equal(t, app.Spec.Selector.MatchLabels, pod.Metadata.Labels)
	assert.Equal(t, pod.Metadata.Labels, front.Spec.Selector)
	assert.Equal(t, pod.Metadata.Labels, policy.Spec.PodSelector.MatchLabels)
	assert.Equal(t, pod.Metadata.Labels, budget.Spec.Selector.MatchLabels)
	target := scaling.Spec.ScaleTargetRef
	assert.Equal(t, []string{app.APIVersion, app.Kind, app.Metadata.Name}, []string{target.APIVersion, target.Kind, target.Name})
	assert.Contains(t, manifest, "name: {as: "+scaling.Spec.Metrics[0].Pods.Metric.Name+"}")

	require.Len(t, pod.Spec.Containers, 1)
	c := pod.Spec.Containers[0]
	ports := map[string]int{}
	for _, port := range c.Ports {
		ports[port.Name] = port.ContainerPort
	}
	assert.Equal(t, map[string]int{"http": 7070, "admin": 7071}, ports)
	assert.Equal(t, "http", front.Spec.Ports[0].TargetPort)
	for _, rule := range policy.Spec.Ingress {
		assert.Contains(t, ports, rule.Ports[0].Port)
		assert.Equal(t, rule.Ports[0].Port == "admin", len(rule.From) > 0, "only the tunnel is for everybody")
	}
	assert.Contains(t, manifest, "create secret generic "+c.EnvFrom[0].SecretRef.Name+" ")
	for path, probes := range map[string][]probe{"/healthz": {c.StartupProbe, c.LivenessProbe}, "/readyz": {c.ReadinessProbe}} {
		for _, p := range probes {
			assert.Equal(t, path, p.HTTPGet.Path)
			assert.Equal(t, "admin", p.HTTPGet.Port)
		}
	}
	volumes := map[string]bool{}
	for _, v := range pod.Spec.Volumes {
		volumes[v.Name] = v.Secret != nil || v.EmptyDir != nil
	}
	for _, mount := range c.VolumeMounts {
		assert.True(t, volumes[mount.Name], mount.Name)
	}

	needs := tries(t, build(t, "deploy"), "ipc/tasks.mjs", c.Args)
	require.Equal(t, "sleep", c.Lifecycle.PreStop.Exec.Command[0])
	wait, err := time.ParseDuration(c.Lifecycle.PreStop.Exec.Command[1] + "s")
	require.NoError(t, err)
	assert.Greater(t, time.Duration(pod.Spec.TerminationGracePeriodSeconds)*time.Second, wait+needs)
}
