/*
 * Stands for libcuda.so.1 as far as FFmpeg 5.1 and 7.1 look into it before they open an encoder: there is a device, and nothing works.
 * No headers, so that a compiler without a C library's can build it.
 *   STUB_CUINIT  the answer of cuInit: 100 is CUDA_ERROR_NO_DEVICE
 *   STUB_DEVICES how many devices there are
 */
char *getenv(const char *);
int atoi(const char *);

static int number(const char *name, int otherwise) {
  char *text = getenv(name);
  return text ? atoi(text) : otherwise;
}

int cuInit(unsigned flags) { return number("STUB_CUINIT", 0); }
int cuDeviceGetCount(int *count) { *count = number("STUB_DEVICES", 1); return 0; }
int cuDeviceGet(int *device, int ordinal) { *device = ordinal; return 0; }
int cuDeviceGetName(char *name, int length, int device) { name[0] = 'G'; name[1] = 0; return 0; }
int cuDeviceComputeCapability(int *major, int *minor, int device) { *major = 9; *minor = 0; return 0; }
int cuDeviceGetAttribute(int *value, int attribute, int device) { *value = attribute == 75 ? 9 : 0; return 0; }
int cuGetErrorName(int error, const char **name) { *name = error == 100 ? "CUDA_ERROR_NO_DEVICE" : "CUDA_ERROR_UNKNOWN"; return 0; }
int cuGetErrorString(int error, const char **text) { *text = error == 100 ? "no CUDA-capable device is detected" : "unknown"; return 0; }
int cuCtxCreate_v2(void **context, unsigned flags, int device) { *context = (void *)8; return 0; }
int cuCtxPopCurrent_v2(void **context) { *context = (void *)8; return 0; }

/* Loaded by name, and not called before an encoder is open. */
#define UNUSED(name) int name(void) { return 0; }
UNUSED(cuArray3DCreate_v2)
UNUSED(cuArray3DGetDescriptor_v2)
UNUSED(cuArrayCreate_v2)
UNUSED(cuArrayDestroy)
UNUSED(cuArrayGetPlane)
UNUSED(cuCtxDestroy_v2)
UNUSED(cuCtxGetCurrent)
UNUSED(cuCtxGetDevice)
UNUSED(cuCtxGetStreamPriorityRange)
UNUSED(cuCtxPushCurrent_v2)
UNUSED(cuCtxSetLimit)
UNUSED(cuCtxSynchronize)
UNUSED(cuDestroyExternalMemory)
UNUSED(cuDestroyExternalSemaphore)
UNUSED(cuDeviceGetByPCIBusId)
UNUSED(cuDeviceGetLuid)
UNUSED(cuDeviceGetPCIBusId)
UNUSED(cuDeviceGetUuid)
UNUSED(cuDeviceGetUuid_v2)
UNUSED(cuDevicePrimaryCtxGetState)
UNUSED(cuDevicePrimaryCtxRelease)
UNUSED(cuDevicePrimaryCtxReset)
UNUSED(cuDevicePrimaryCtxRetain)
UNUSED(cuDevicePrimaryCtxSetFlags)
UNUSED(cuDriverGetVersion)
UNUSED(cuEGLStreamConsumerDisconnect)
UNUSED(cuEGLStreamProducerConnect)
UNUSED(cuEGLStreamProducerDisconnect)
UNUSED(cuEGLStreamProducerPresentFrame)
UNUSED(cuEGLStreamProducerReturnFrame)
UNUSED(cuEventCreate)
UNUSED(cuEventDestroy_v2)
UNUSED(cuEventQuery)
UNUSED(cuEventRecord)
UNUSED(cuEventSynchronize)
UNUSED(cuExternalMemoryGetMappedBuffer)
UNUSED(cuExternalMemoryGetMappedMipmappedArray)
UNUSED(cuGLGetDevices_v2)
UNUSED(cuGraphicsGLRegisterImage)
UNUSED(cuGraphicsMapResources)
UNUSED(cuGraphicsResourceGetMappedPointer_v2)
UNUSED(cuGraphicsSubResourceGetMappedArray)
UNUSED(cuGraphicsUnmapResources)
UNUSED(cuGraphicsUnregisterResource)
UNUSED(cuImportExternalMemory)
UNUSED(cuImportExternalSemaphore)
UNUSED(cuLaunchHostFunc)
UNUSED(cuLaunchKernel)
UNUSED(cuLinkAddData)
UNUSED(cuLinkComplete)
UNUSED(cuLinkCreate)
UNUSED(cuLinkDestroy)
UNUSED(cuMemAllocAsync)
UNUSED(cuMemAllocManaged)
UNUSED(cuMemAllocPitch_v2)
UNUSED(cuMemAlloc_v2)
UNUSED(cuMemFreeAsync)
UNUSED(cuMemFreeHost)
UNUSED(cuMemFree_v2)
UNUSED(cuMemHostAlloc)
UNUSED(cuMemcpy)
UNUSED(cuMemcpy2DAsync_v2)
UNUSED(cuMemcpy2D_v2)
UNUSED(cuMemcpyAsync)
UNUSED(cuMemcpyDtoDAsync_v2)
UNUSED(cuMemcpyDtoD_v2)
UNUSED(cuMemcpyDtoHAsync_v2)
UNUSED(cuMemcpyDtoH_v2)
UNUSED(cuMemcpyHtoDAsync_v2)
UNUSED(cuMemcpyHtoD_v2)
UNUSED(cuMemsetD16Async)
UNUSED(cuMemsetD2D16Async)
UNUSED(cuMemsetD2D32Async)
UNUSED(cuMemsetD2D8Async)
UNUSED(cuMemsetD32Async)
UNUSED(cuMemsetD8Async)
UNUSED(cuMipmappedArrayDestroy)
UNUSED(cuMipmappedArrayGetLevel)
UNUSED(cuModuleGetFunction)
UNUSED(cuModuleGetGlobal)
UNUSED(cuModuleLoadData)
UNUSED(cuModuleUnload)
UNUSED(cuSignalExternalSemaphoresAsync)
UNUSED(cuStreamAddCallback)
UNUSED(cuStreamCreate)
UNUSED(cuStreamCreateWithPriority)
UNUSED(cuStreamDestroy_v2)
UNUSED(cuStreamQuery)
UNUSED(cuStreamSynchronize)
UNUSED(cuStreamWaitEvent)
UNUSED(cuTexObjectCreate)
UNUSED(cuTexObjectDestroy)
UNUSED(cuWaitExternalSemaphoresAsync)
