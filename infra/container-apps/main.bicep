// The all-in-one on Container Apps: one process with every service over a PostgreSQL that is there, to see it run in Azure in minutes. Not a cluster: a
// subnet belongs to one environment there, and silos need each other's addresses. No ingress: HTTP is on loopback until sign-in exists, so it is looked
// at by `az containerapp exec --command "HybridTrading health --ready"` and its logs.
@description('The image, of ORLEANS_HOST=Cluster.')
param image string

@description('Registry of the image, for example example.azurecr.io.')
param registryServer string

@description('Resource id of a managed identity that may pull the image and read the secrets.')
param identity string

@description('Vault with the secrets master-key (base64) and database.')
param vaultName string

param location string = resourceGroup().location

resource vault 'Microsoft.KeyVault/vaults@2023-07-01' existing = { name: vaultName }

resource workspace 'Microsoft.OperationalInsights/workspaces@2023-09-01' = {
  name: 'log-hybrid'
  location: location
  properties: { sku: { name: 'PerGB2018' }, retentionInDays: 30 }
}

resource environment 'Microsoft.App/managedEnvironments@2024-03-01' = {
  name: 'hybrid'
  location: location
  properties: {
    appLogsConfiguration: {
      destination: 'log-analytics'
      logAnalyticsConfiguration: { customerId: workspace.properties.customerId, sharedKey: workspace.listKeys().primarySharedKey }
    }
  }
}

var settings = [
  { name: 'Database__ConnectionString', secretRef: 'database' }
  { name: 'HYBRID_MASTER_KEY', value: '/secrets/master.key' }
]
var mounts = [
  { volumeName: 'data', mountPath: '/data' }
  { volumeName: 'secrets', mountPath: '/secrets' }
]

resource app 'Microsoft.App/containerApps@2024-03-01' = {
  name: 'hybrid'
  location: location
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${identity}': {} }
  }
  properties: {
    environmentId: environment.id
    configuration: {
      // A new revision takes the place of the old one among the cluster's members, which ends that.
      activeRevisionsMode: 'Single'
      registries: [{ server: registryServer, identity: identity }]
      secrets: [
        { name: 'database', keyVaultUrl: '${vault.properties.vaultUri}secrets/database', identity: identity }
        { name: 'master-key', keyVaultUrl: '${vault.properties.vaultUri}secrets/master-key', identity: identity }
      ]
    }
    template: {
      scale: { minReplicas: 1, maxReplicas: 1 }
      terminationGracePeriodSeconds: 60
      initContainers: [
        {
          name: 'schema'
          image: image
          args: ['db', 'migrate']
          env: settings
          resources: { cpu: json('0.25'), memory: '0.5Gi' }
          volumeMounts: mounts
        }
      ]
      containers: [
        {
          name: 'hybrid'
          image: image
          args: ['run']
          env: settings
          resources: { cpu: json('1.0'), memory: '2Gi' }
          volumeMounts: mounts
        }
      ]
      volumes: [
        { name: 'data', storageType: 'EmptyDir' }
        { name: 'secrets', storageType: 'Secret', secrets: [{ secretRef: 'master-key', path: 'master.key' }] }
      ]
    }
  }
}
