import { useLocation } from 'wouter';
import { actions, keys, queryClient } from '../../api/queries';
import { useI18n } from '../../i18n';
import { useToast } from '../../ui/toast';
import { CameraForm } from './CameraForm';

export default function AddCamera({ onClose }: { onClose: () => void }) {
  const { t } = useI18n();
  const toast = useToast();
  const [, navigate] = useLocation();
  return (
    <CameraForm
      title={t('camera.add')}
      action={t('form.save')}
      save={actions.createCamera}
      onSaved={(camera) => {
        void queryClient.invalidateQueries({ queryKey: keys.cameras });
        onClose();
        toast({
          tone: 'good',
          text: t('camera.added', { camera: camera.name }),
          action: { label: t('camera.open'), run: () => navigate(`/cameras/${camera.id}`) },
        });
      }}
      onClose={onClose}
    />
  );
}
